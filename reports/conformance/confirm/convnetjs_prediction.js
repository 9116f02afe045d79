// ConvNetJS's DropoutLayer that drops a tenth: sums of ones in training and in
// prediction, which are to agree. npm install convnetjs@0.3.0
const {DropoutLayer, Vol} = require('convnetjs');

const size = 100000;
const layer = new DropoutLayer(
    {in_sx: 1, in_sy: 1, in_depth: size, drop_prob: 0.1});
for (const training of [true, false]) {
  const {w} = layer.forward(new Vol(1, 1, size, 1), training);
  const sum = w.reduce((total, value) => total + value);
  console.log(`${training ? 'training' : 'prediction'}: ${sum.toFixed(0)}`);
}
