// GoMLX's DropoutStatic takes its rate as a float64; how exact is its scale for
// float64 inputs?
package main

import (
	"fmt"

	"github.com/gomlx/gomlx/backends/simplego"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/ml/context"
	"github.com/gomlx/gomlx/pkg/ml/layers"
)

func main() {
	backend, _ := simplego.New("")
	run := context.MustNewExec(backend, context.New(), func(ctx *context.Context, x *graph.Node) *graph.Node {
		ctx.SetTraining(x.Graph(), true)
		return layers.DropoutStatic(ctx, x, 0.1)
	})
	fmt.Println(run.MustExec1([]float64{1, 1, 1, 1, 1, 1}).GoStr())
	fmt.Println("due where it is kept:", 1/0.9)
}
