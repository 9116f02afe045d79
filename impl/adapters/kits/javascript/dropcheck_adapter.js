// Verify a dropout layer written in JavaScript: dropcheck's worker protocol.
//
//   class MyDropout {
//     constructor(config) {}          // config.drop_probability is a number
//     forward(x, training) {}         // x: {dtype, shape, data} -> the same
//     backward(gradient) {}           // optional
//     reseed(seed) {}                 // optional; seed is a BigInt
//   }
//   serve(MyDropout, {layer: 'dropout', dtypes: 'f32,f64'});
//
// and dropcheck verify 'cmd:node my_dropout.js'. See PROTOCOL.md, dropout.js.
'use strict';
const fs = require('fs');

// f16 and bf16 as 16-bit words.
const ARRAYS = {
  f64: Float64Array, f32: Float32Array, f16: Uint16Array, bf16: Uint16Array,
};
const PLAIN = {
  in_place: false, channels_last: false, scale_by_keep: true, shared_axes: [],
  samples: 0,
};

class LayerError extends Error {  // the layer refuses: often the right answer
  status = 'layer-error';
}
class NotSupported extends Error {  // the adapter does not have what is asked
  status = 'not-supported';
}

// Nothing that is printed may stand among the frames.
console.log = console.info = console.debug = console.error;

function readExactly(count) {
  const buffer = Buffer.alloc(count);
  for (let have = 0; have < count;) {
    const got = fs.readSync(0, buffer, have, count - have, null);
    if (got === 0) return null;  // the host is gone
    have += got;
  }
  return buffer;
}

function readFrame() {
  const prefix = readExactly(8);
  const length = prefix && Number(prefix.readBigUInt64LE());
  const frame = prefix && readExactly(length);
  if (!frame) return null;
  const end = 8 + Number(frame.readBigUInt64LE());
  const header = JSON.parse(frame.toString('utf8', 8, end));
  const {__metadata__: fields = {}, ...entries} = header;
  const tensors = {};
  for (const [name, entry] of Object.entries(entries)) {
    const dtype = entry.dtype.toLowerCase();
    const [first, last] = entry.data_offsets;
    // A copy: typed arrays want aligned memory.
    const bytes = new Uint8Array(frame.subarray(end + first, end + last));
    tensors[name] = {
      dtype, shape: entry.shape, data: new ARRAYS[dtype](bytes.buffer),
    };
  }
  return {fields, tensors};
}

function writeAll(buffer) {
  for (let done = 0; done < buffer.length;) {
    done += fs.writeSync(1, buffer, done);
  }
}

function writeFrame(fields, tensors) {
  const header = {__metadata__: fields};
  const pieces = [];
  let offset = 0;
  for (const [name, given] of Object.entries(tensors)) {
    const parts = Array.isArray(given) ? given : [given];
    const begin = offset;
    for (const {data} of parts) {
      offset += data.byteLength;
      pieces.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    }
    const stack = parts.length > 1 ? [parts.length] : [];
    header[name] = {
      dtype: parts[0].dtype.toUpperCase(), shape: [...stack, ...parts[0].shape],
      data_offsets: [begin, offset],
    };
  }
  let text = Buffer.from(JSON.stringify(header));
  text = Buffer.concat([text, Buffer.alloc((8 - text.length % 8) % 8, ' ')]);
  const lengths = Buffer.alloc(16);
  lengths.writeBigUInt64LE(BigInt(8 + text.length + offset), 0);
  lengths.writeBigUInt64LE(BigInt(text.length), 8);
  for (const piece of [lengths, text, ...pieces]) writeAll(piece);
}

/** Answers until the host is gone. `describe` are fields of the description:
 *  layer, name, version, dtypes, ...; `understands` names options of the
 *  config that the layer reads beside the drop probability. */
function serve(Layer, describe, understands = []) {
  const has = (name) => (name in Layer.prototype ? '1' : '0');
  const description = {
    protocol: '1', name: Layer.name, dtypes: 'f32', reseed: has('reseed'),
    own_state: has('reseed'), backward: has('backward'), ...describe,
  };
  const plain = {...PLAIN, layer: description.layer};
  const known = ['drop_probability', 'dtype', ...understands];
  const layers = new Map();
  const operations = {
    describe: () => [description],
    quit: () => [{}],
    make: (request) => {
      const config = JSON.parse(request.config);
      for (const [key, value] of Object.entries(config)) {
        const same = JSON.stringify(value) === JSON.stringify(plain[key]);
        if (!same && !known.includes(key)) throw new NotSupported(key);
      }
      config.drop_probability = Number(config.drop_probability);
      layers.set(request.id, new Layer(config));
    },
    destroy: (request) => void layers.delete(request.layer),
    reseed: (request, layer) => void layer.reseed(BigInt(request.seed)),
    forward: ({training, repeat}, layer, {input}) => [{}, {
      output: Array.from({length: Number(repeat)},
                         () => layer.forward(input, training === '1')),
    }],
    backward: (request, layer, tensors) =>
      [{}, {grad_input: layer.backward(tensors.grad_output)}],
  };
  for (let frame; (frame = readFrame());) {
    const {fields: request, tensors} = frame;
    let answer;
    try {
      const operation = operations[request.op];
      if (!operation) throw new NotSupported(`operation ${request.op}`);
      const layer = layers.get(request.layer);
      if (request.layer && !layer) throw new Error(`no layer ${request.layer}`);
      if (['reseed', 'backward'].includes(request.op) && !layer[request.op]) {
        throw new NotSupported(`the layer has no ${request.op}`);
      }
      answer = operation(request, layer, tensors) ?? [{}];
    } catch (error) {
      answer = [{status: error.status ?? 'error', message: error.message}];
    }
    writeFrame({status: 'ok', ...answer[0]}, answer[1] ?? {});
    if (request.op === 'quit') return;
  }
}

module.exports = {serve, LayerError, NotSupported, ARRAYS};
