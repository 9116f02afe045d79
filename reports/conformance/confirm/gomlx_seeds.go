// Seeds of GoMLX that differ by 2^31 - 1 give the same numbers.
package main

import (
	"fmt"

	"github.com/gomlx/gomlx/backends/simplego"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/ml/context"
)

func main() {
	backend, _ := simplego.New("")
	for _, seed := range []int64{2, 2 + (1<<31 - 1), 1 << 32, 3} {
		ctx := context.New()
		if err := ctx.SetRNGStateFromSeed(seed); err != nil {
			panic(err)
		}
		run := context.MustNewExec(backend, ctx, func(ctx *context.Context, g *graph.Graph) *graph.Node {
			return ctx.RandomUniform(g, shapes.Make(dtypes.Float32, 3))
		})
		fmt.Println("seed", seed, run.MustExec1().Value())
	}
}
