// TensorFlow.js for dropcheck, on its CPU backend in plain JavaScript:
//
//   node adapter.js SUBJECT      one of those at the end
'use strict';
const tf = require('@tensorflow/tfjs-core');
const layers = require('@tensorflow/tfjs-layers');
require('@tensorflow/tfjs-backend-cpu');
const {serve, LayerError} =
    require('../../kits/javascript/dropcheck_adapter.js');

tf.setBackend('cpu');

/** Runs `compute` on the values of `x`; what it throws is a refusal. */
function call({dtype, shape, data}, compute) {
  return tf.tidy(() => {
    let result;
    try {
      result = compute(tf.tensor(data, shape, 'float32'));
    } catch (error) {
      throw new LayerError(error.message);
    }
    return {dtype, shape: result.shape, data: result.dataSync().slice()};
  });
}

/** tf.dropout. It has no evaluation: who evaluates does not call it. */
class Dropout {
  constructor(config) {
    this.rate = config.drop_probability;
    call({dtype: 'f32', shape: [1], data: new Float32Array(1)},
         (x) => tf.dropout(x, this.rate));  // refuses the rate
  }
  forward(x, training) {
    return call(x, (t) => training ? tf.dropout(t, this.rate) : t.clone());
  }
}

/** tf.dropout with a seed of its own for each call: as strings, which it
 *  takes, because numbers have 53 bits only. */
class SeededDropout extends Dropout {
  constructor(config) {
    super(config);
    this.reseed(process.hrtime.bigint());
  }
  reseed(seed) {
    this.seed = seed;
    this.calls = 0;
  }
  forward(x, training) {
    this.input = x;
    const latest = training ? `${this.seed}/${++this.calls}` : null;
    this.compute = (t) =>
        training ? tf.dropout(t, this.rate, null, latest) : t.clone();
    return call(x, this.compute);
  }
  backward(gradient) {
    return call(this.input, (x) => {
      const dy = tf.tensor(gradient.data, gradient.shape, 'float32');
      return tf.grad(this.compute)(x, dy);
    });
  }
}

/** A layer of tfjs-layers, made by `make` from its arguments. */
function layerOf(make) {
  return class {
    constructor(config) {
      this.rate = config.drop_probability;
      this.make();
    }
    make(more = {}) {
      try {
        this.layer = make({rate: this.rate, ...more});
      } catch (error) {
        throw new LayerError(error.message);
      }
    }
    forward(x, training) {
      return call(x, (t) => this.apply(t, training));
    }
    apply(x, training) {
      const result = this.layer.apply(x, {training});
      return Array.isArray(result) ? result[0] : result;
    }
  };
}

/** Takes (N, ..., C) as (N, L, C), and (N, C, ...) by moving the channels. */
class Spatial extends layerOf(layers.layers.spatialDropout1d) {
  constructor(config) {
    super(config);
    this.last = config.channels_last;
  }
  apply(x, training) {
    if (x.rank < 3 || x.rank > 5) return super.apply(x, training);
    const [samples, ...rest] = x.shape;
    const channels = this.last ? rest.pop() : rest.shift();
    const places = rest.reduce((product, extent) => product * extent);
    if (this.last) {
      const flat = tf.reshape(x, [samples, places, channels]);
      return tf.reshape(super.apply(flat, training), x.shape);
    }
    const flat = tf.reshape(x, [samples, channels, places]);
    const moved = tf.transpose(flat, [0, 2, 1]);
    const result = super.apply(moved, training);
    return tf.reshape(tf.transpose(result, [0, 2, 1]), x.shape);
  }
}

/** tf.layers.dropout with the argument `seed`. */
class SeededLayer extends layerOf(layers.layers.dropout) {
  reseed(seed) {
    this.make({seed: String(seed)});
  }
}

const multiplied = {dropped_nonfinite: 'nan', dropped_zero: 'signed'};
// A rate "in the range [0, 1)".
const dropout = {options: JSON.stringify({...multiplied, at_one: 'error'})};
// Rates beyond [0, 1] are set to its ends, or taken as they are.
const clamped = {...multiplied, beyond_ends: 'accepted'};
const layer = {options: JSON.stringify(clamped)};
// A rate of 1 has no finite scale here, and nothing is promised for it.
const scaled = {options: JSON.stringify({...clamped, at_one: 'formula'})};

const {
  dropout: layersDropout, alphaDropout, gaussianDropout,
} = layers.layers;
const subjects = {
  'tf.dropout': [Dropout, {layer: 'dropout', ...dropout}],
  'tf.dropout/seed': [SeededDropout, {layer: 'dropout', ...dropout}],
  'layers.dropout': [layerOf(layersDropout), {layer: 'dropout', ...layer}],
  'layers.dropout/seed': [SeededLayer, {layer: 'dropout', ...layer}],
  'layers.spatialDropout1d': [Spatial, {
    layer: 'spatial_dropout', variants: '[{"channels_last": true}]', ...layer,
  }],
  'layers.alphaDropout':
      [layerOf(alphaDropout), {layer: 'alpha_dropout', ...scaled}],
  'layers.gaussianDropout':
      [layerOf(gaussianDropout), {layer: 'gaussian_dropout', ...scaled}],
};

const name = process.argv[2];
const [Layer, description] = subjects[name];
serve(Layer, {name, version: tf.version_core, ...description},
      name.includes('spatial') ? ['channels_last'] : []);
