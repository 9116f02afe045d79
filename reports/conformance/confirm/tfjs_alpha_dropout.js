// tf.layers.alphaDropout: of zeros, which values are dropped?
// npm install @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-layers@4.22.0
//   @tensorflow/tfjs-backend-cpu@4.22.0, and node tfjs_alpha_dropout.js
const tf = require('@tensorflow/tfjs-core');
const {layers} = require('@tensorflow/tfjs-layers');
require('@tensorflow/tfjs-backend-cpu');

const layer = layers.alphaDropout({rate: 0.1});
const zeros = layer.apply(tf.zeros([100000]), {training: true}).dataSync();
const values = [...new Set(zeros)].map((value) =>
    `${value.toFixed(4)} in ${zeros.filter((y) => y === value).length}`);
console.log(`values of dropped and kept zeros: ${values.join(', ')}`);
console.log('due: -1.4577 dropped, 0.1620 kept (Klambauer et al. 2017)');
const {mean, variance} = tf.moments(
    layer.apply(tf.randomNormal([1000000]), {training: true}));
console.log(`of N(0, 1): mean ${mean.dataSync()[0].toFixed(2)}, variance ` +
            variance.dataSync()[0].toFixed(2));
