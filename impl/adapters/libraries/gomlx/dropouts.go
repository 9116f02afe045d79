// GoMLX's dropouts for dropcheck, on its backend in plain Go:
//
//	./dropouts NAME      one of those at the end
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/gomlx/gomlx/backends/simplego"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	"github.com/gomlx/gomlx/pkg/ml/context"
	"github.com/gomlx/gomlx/pkg/ml/layers"
)

type node = *graph.Node

// call is a layer of the library with its drop probability.
type call func(ctx *context.Context, x node) node

// dropout holds a context, whose random state is the layer's, and a graph of
// the call in training, one of that in evaluation, and one of the gradient.
type dropout struct {
	context           *context.Context
	forward, evaluate *context.Exec
	gradient          *context.Exec
	input             *tensors.Tensor // of the latest call
	before            *tensors.Tensor // the random state, if it was training
}

var backend = must(simplego.New(""))

var names = map[string]dtypes.DType{
	"F32": dtypes.Float32, "F64": dtypes.Float64, "BF16": dtypes.BFloat16,
}

func newDropout(apply call) Layer {
	ctx := context.New()
	made := func(training bool) *context.Exec {
		run := func(ctx *context.Context, x node) node {
			ctx.SetTraining(x.Graph(), training)
			// A graph that only returns its input is none.
			return graph.Identity(apply(ctx, x))
		}
		return context.MustNewExec(backend, ctx, run).SetMaxCache(-1)
	}
	gradient := func(ctx *context.Context, x, dy node) node {
		ctx.SetTraining(x.Graph(), true)
		sum := graph.ReduceAllSum(graph.Mul(apply(ctx, x), dy))
		return graph.Gradient(sum, x)[0]
	}
	return &dropout{
		context: ctx, forward: made(true), evaluate: made(false),
		gradient: context.MustNewExec(backend, ctx, gradient).SetMaxCache(-1),
	}
}

func toTensor(x Tensor) *tensors.Tensor {
	t := tensors.FromShape(shapes.Make(names[x.Dtype], x.Shape...))
	if t.Size() > 0 {
		must(0, t.MutableBytes(func(data []byte) { copy(data, x.Data) }))
	}
	return t
}

func fromTensor(t *tensors.Tensor, dtype string) Tensor {
	y := Tensor{Dtype: dtype, Shape: append([]int{}, t.Shape().Dimensions...)}
	if t.Size() > 0 {
		must(0, t.ConstBytes(func(data []byte) { y.Data = append(y.Data, data...) }))
	}
	return y
}

// result of a call, which refuses by an error.
func result(t *tensors.Tensor, err error) *tensors.Tensor {
	if err != nil {
		panic(Refusal{"layer-error", fmt.Sprintf("%.200v", err)})
	}
	return t
}

func (d *dropout) state() *context.Variable {
	return d.context.GetVariableByScopeAndName(
		context.RootScope, context.RNGStateVariableName)
}

func (d *dropout) Forward(x Tensor, training bool) Tensor {
	d.input, d.before = toTensor(x), nil
	if !training {
		return fromTensor(result(d.evaluate.Exec1(d.input)), x.Dtype)
	}
	if d.state() == nil {
		must(0, d.context.ResetRNGState())
	}
	d.before = must(must(d.state().Value()).LocalClone())
	return fromTensor(result(d.forward.Exec1(d.input)), x.Dtype)
}

// Backward runs the call again from the random state that it began with.
func (d *dropout) Backward(gradient Tensor) Tensor {
	if d.before == nil {
		return gradient
	}
	after := must(must(d.state().Value()).LocalClone())
	must(0, d.state().SetValue(must(d.before.LocalClone())))
	y := result(d.gradient.Exec1(d.input, toTensor(gradient)))
	must(0, d.state().SetValue(after))
	return fromTensor(y, gradient.Dtype)
}

func (d *dropout) Reseed(seed uint64) {
	must(0, d.context.SetRNGStateFromSeed(int64(seed)))
}

type subject struct {
	law   string
	apply func(ctx *context.Context, x node, p float64) node
	more  Fields
}

var subjects = map[string]subject{
	"DropoutStatic": {"dropout", layers.DropoutStatic, Fields{}},
	// "dropout_rate", a constant of the input's dtype.
	"DropoutFromContext": {"dropout",
		func(ctx *context.Context, x node, p float64) node {
			ctx.SetParam(layers.ParamDropoutRate, p)
			return layers.DropoutFromContext(ctx, x)
		}, Fields{}},
	// It multiplies by 0 or 1 and does not scale: x is "either fully dropped
	// (set to zero) or not".
	"DropPathFromContext": {"drop_path",
		func(ctx *context.Context, x node, p float64) node {
			ctx.SetParam(layers.ParamDropPathProbability, p)
			return layers.DropPathFromContext(ctx, x)
		}, Fields{"variants": `[{"scale_by_keep": false}]`,
			"options": `{"beyond_ends": "accepted", "at_one": "zeros",
				"dropped_nonfinite": "nan", "dropped_zero": "signed"}`}},
}

func main() {
	chosen := subjects[os.Args[1]]
	make := func(p float64, config map[string]json.RawMessage) Layer {
		if string(config["scale_by_keep"]) == "true" && chosen.law == "drop_path" {
			panic(Refusal{"not-supported", "it does not scale"})
		}
		return newDropout(func(ctx *context.Context, x node) node {
			return chosen.apply(ctx, x, p)
		})
	}
	describe := Fields{
		"layer": chosen.law, "name": os.Args[1], "version": "0.26.0",
		"dtypes": "f32,f64,bf16", "reseed": "1", "own_state": "1",
		"backward": "1", "generator": "PCG-DXSM",
		"options": `{"beyond_ends": "accepted", "scale_rounding": "dtype"}`,
	}
	for key, value := range chosen.more {
		describe[key] = value
	}
	Serve(make, describe, "scale_by_keep")
}
