// tf.layers.dropout with a seed: the masks of three calls in training.
const tf = require('@tensorflow/tfjs-core');
const {layers} = require('@tensorflow/tfjs-layers');
require('@tensorflow/tfjs-backend-cpu');

for (const seed of [undefined, 7]) {
  const layer = layers.dropout({rate: 0.5, seed});
  for (let call = 0; call < 3; ++call) {
    const y = layer.apply(tf.ones([1, 24]), {training: true}).dataSync();
    console.log(`seed ${seed}: ${Array.from(y, (v) => v ? 1 : 0).join('')}`);
  }
}
