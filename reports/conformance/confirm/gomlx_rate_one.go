// GoMLX's Dropout at a rate of 1, at which "1 would drop everything out".
// go mod init confirm; go get github.com/gomlx/gomlx@v0.26.0; go run FILE
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
	for _, rate := range []float64{0.999, 1} {
		run := context.MustNewExec(backend, context.New(), func(ctx *context.Context, x *graph.Node) *graph.Node {
			ctx.SetTraining(x.Graph(), true)
			return layers.DropoutStatic(ctx, x, rate)
		})
		fmt.Println("rate", rate, run.MustExec1([]float32{1, 2, 3}).Value())
	}
}
