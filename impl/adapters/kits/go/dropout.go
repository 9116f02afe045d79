package main

// Inverted dropout, without any library: an example of an adapter.
//
//	go build -o my_dropout adapter.go dropout.go
//	dropcheck verify cmd:./my_dropout

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
)

// Dropout drops each element with probability drop.
type Dropout struct {
	drop   float64
	random *rand.Rand
	mask   []bool // of the latest forward; nil where nothing was dropped
}

func newDropout(drop float64, _ map[string]json.RawMessage) Layer {
	if !(drop >= 0 && drop <= 1) { // NaN too
		panic(Refusal{"layer-error", fmt.Sprintf("p is %v, not in [0, 1]", drop)})
	}
	return &Dropout{drop: drop, random: rand.New(rand.NewPCG(rand.Uint64(), 0))}
}

// Reseed begins the generator anew.
func (d *Dropout) Reseed(seed uint64) {
	d.random = rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
}

// Forward draws a mask in training.
func (d *Dropout) Forward(x Tensor, training bool) Tensor {
	d.mask = nil
	if training && d.drop > 0 {
		d.mask = make([]bool, len(x.Data)/width(x))
		for i := range d.mask {
			d.mask[i] = d.random.Float64() >= d.drop
		}
	}
	return d.multiply(x)
}

// Backward multiplies by the same mask.
func (d *Dropout) Backward(gradient Tensor) Tensor { return d.multiply(gradient) }

func width(x Tensor) int {
	if x.Dtype == "F64" {
		return 8
	}
	return 4
}

func (d *Dropout) multiply(x Tensor) Tensor {
	y := Tensor{Dtype: x.Dtype, Shape: x.Shape, Data: make([]byte, len(x.Data))}
	copy(y.Data, x.Data)
	scale := 0.0
	if d.drop < 1 {
		scale = 1 / (1 - d.drop)
	}
	for i, kept := range d.mask {
		at := y.Data[i*width(x):][:width(x)]
		if !kept {
			clear(at)
		} else if x.Dtype == "F64" {
			v := math.Float64frombits(binary.LittleEndian.Uint64(at))
			binary.LittleEndian.PutUint64(at, math.Float64bits(v*scale))
		} else {
			v := float64(math.Float32frombits(binary.LittleEndian.Uint32(at)))
			binary.LittleEndian.PutUint32(at, math.Float32bits(float32(v*scale)))
		}
	}
	return y
}

func main() {
	Serve(newDropout, Fields{"layer": "dropout", "name": "Dropout",
		"version": "1", "dtypes": "f32,f64", "reseed": "1", "own_state": "1",
		"backward": "1"})
}
