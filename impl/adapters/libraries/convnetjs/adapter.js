// ConvNetJS's DropoutLayer for dropcheck. It does not scale what it keeps in
// training but "the activations during prediction". It draws from Math.random,
// so findings cannot be repeated exactly.
'use strict';
const convnetjs = require('convnetjs');
const {serve, NotSupported, ARRAYS} =
    require('../../kits/javascript/dropcheck_adapter.js');

class DropoutLayer {
  constructor(config) {
    if (config.scale_by_keep) throw new NotSupported('it does not scale');
    this.drop_prob = config.drop_probability;
    this.layers = new Map();  // a layer has one size
  }
  /** Elements are all alike: a tensor is one column of neurons. */
  volume({data}) {
    const volume = new convnetjs.Vol(1, 1, data.length, 0);
    volume.w.set(data);
    return volume;
  }
  forward(x, training) {
    const {drop_prob, layers} = this;
    const size = {in_sx: 1, in_sy: 1, in_depth: x.data.length};
    if (!layers.has(size.in_depth)) {
      layers.set(size.in_depth,
                 new convnetjs.DropoutLayer({...size, drop_prob}));
    }
    this.latest = layers.get(size.in_depth);
    this.trained = training;
    const {w} = this.latest.forward(this.volume(x), training);
    return {...x, data: ARRAYS[x.dtype].from(w)};
  }
  backward(gradient) {  // nobody goes backward through a prediction
    if (!this.trained) return gradient;
    this.latest.out_act.dw.set(gradient.data);
    this.latest.backward();
    return {...gradient, data: ARRAYS[gradient.dtype].from(this.latest.in_act.dw)};
  }
}

serve(DropoutLayer, {
  layer: 'dropout', version: '0.3.0', dtypes: 'f64',
  variants: '[{"scale_by_keep": false}]',
  options: '{"beyond_ends": "accepted"}',
}, ['scale_by_keep']);
