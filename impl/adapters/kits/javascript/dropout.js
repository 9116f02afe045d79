// Inverted dropout without any library: an example of an adapter.
'use strict';
const {serve, LayerError, ARRAYS} = require('./dropcheck_adapter.js');

/** sfc32, 53 bits a number. */
class Random {
  constructor(seed) {
    this.reseed(seed);
  }
  reseed(seed) {
    // Begun with both halves of the seed and run for a while.
    this.a = Number(seed & 0xffffffffn) | 0;
    this.b = Number(seed >> 32n) | 0;
    this.c = 0x9e3779b9 | 0;
    this.counter = 1;
    for (let i = 0; i < 20; ++i) this.word();
  }
  word() {
    const t = (this.a + this.b | 0) + this.counter | 0;
    this.counter = this.counter + 1 | 0;
    this.a = this.b ^ this.b >>> 9;
    this.b = this.c + (this.c << 3) | 0;
    this.c = (this.c << 21 | this.c >>> 11) + t | 0;
    return t >>> 0;
  }
  uniform() {
    return (this.word() * 2 ** 21 + (this.word() >>> 11)) * 2 ** -53;
  }
}

class Dropout {
  constructor(config) {
    this.drop = config.drop_probability;
    if (!(this.drop >= 0 && this.drop <= 1)) {  // NaN too
      throw new LayerError(`p is ${this.drop}, but must be in [0, 1]`);
    }
    this.random = new Random(process.hrtime.bigint());
  }
  forward(x, training) {
    const active = training && this.drop > 0;
    this.mask = active ?
        x.data.map(() => this.random.uniform() >= this.drop ? 1 : 0) : null;
    return this.multiply(x);
  }
  backward(gradient) {
    return this.multiply(gradient);
  }
  reseed(seed) {
    this.random.reseed(seed);
  }
  multiply({dtype, shape, data}) {
    const scale = this.drop < 1 ? 1 / (1 - this.drop) : 0;
    const {mask} = this;
    const result = mask ?
        ARRAYS[dtype].from(data, (v, i) => mask[i] ? v * scale : 0) :
        data.slice();
    return {dtype, shape, data: result};
  }
}

serve(Dropout, {layer: 'dropout', version: '1', dtypes: 'f32,f64'});
