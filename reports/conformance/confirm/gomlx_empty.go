// GoMLX's Dropout of an empty tensor ends the process: the panic is in another
// goroutine, so that no one can recover.
package main

import (
	"fmt"

	"github.com/gomlx/gomlx/backends/simplego"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	"github.com/gomlx/gomlx/pkg/ml/context"
	"github.com/gomlx/gomlx/pkg/ml/layers"
)

func main() {
	defer func() { fmt.Println("recovered:", recover()) }()
	backend, _ := simplego.New("")
	run := context.MustNewExec(backend, context.New(), func(ctx *context.Context, x *graph.Node) *graph.Node {
		ctx.SetTraining(x.Graph(), true)
		return layers.DropoutStatic(ctx, x, 0.5)
	})
	y, err := run.Exec1(tensors.FromShape(shapes.Make(dtypes.Float32, 0, 5)))
	fmt.Println(y, err)
}
