// GoMLX's Dropout in bf16: the mean of ones, which must stay 1, and where it
// goes: numbers are cut off, not rounded.
package main

import (
	"fmt"

	"github.com/gomlx/gomlx/backends/simplego"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/dtypes/bfloat16"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/ml/context"
	"github.com/gomlx/gomlx/pkg/ml/layers"
)

func main() {
	fmt.Println("1.0078 in bf16 (1 or 1.0078125):", bfloat16.FromFloat32(1.0078).Float32())
	backend, _ := simplego.New("")
	x := make([]float32, 1<<22)
	for i := range x {
		x[i] = 1 + float32(i%128)/128 // all of them bf16
	}
	run := context.MustNewExec(backend, context.New(), func(ctx *context.Context, x *graph.Node) *graph.Node {
		ctx.SetTraining(x.Graph(), true)
		ctx.SetParam(layers.ParamDropoutRate, 0.1)
		y := layers.DropoutFromContext(ctx, graph.ConvertDType(x, dtypes.BFloat16))
		sum := graph.ReduceAllSum(graph.ConvertDType(y, dtypes.Float64))
		return graph.Div(sum, graph.ReduceAllSum(graph.ConvertDType(x, dtypes.Float64)))
	})
	fmt.Println("mean of y / mean of x:", run.MustExec1(x).Value())
}
