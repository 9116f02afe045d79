// The layers of TensorFlow.js at a rate of almost 1, and of 1.
const tf = require('@tensorflow/tfjs-core');
const {layers} = require('@tensorflow/tfjs-layers');
require('@tensorflow/tfjs-backend-cpu');

const x = tf.ones([1, 4, 4]);
for (const name of ['dropout', 'spatialDropout1d', 'alphaDropout']) {
  for (const rate of [0.999999, 1]) {
    const y = layers[name]({rate}).apply(x, {training: true});
    const kept = y.dataSync().filter((value) => value === 1).length;
    console.log(`${name}, rate ${rate}: ${kept} of 16 come through as they are`);
  }
}
