// Verify a dropout layer written in Go by dropcheck's worker protocol: copy
// this file beside yours; dropcheck verify cmd:./my_dropout. See PROTOCOL.md
// and dropout.go.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
)

type Fields map[string]string // of a message

type Tensor struct { // compact, row-major, little-endian
	Dtype   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"` // the kit's business
	Data    []byte `json:"-"`
}

// Layer is under test. Each function may panic with a Refusal.
type Layer interface {
	Forward(x Tensor, training bool) Tensor
	Backward(gradient Tensor) Tensor
	Reseed(seed uint64)
}

// Refusal is what a layer panics with: Status "layer-error" refuses, often the
// right answer; "not-supported" says that the adapter does not have it.
type Refusal struct{ Status, Reason string }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func unmarshal[T any](text []byte) (value T) {
	must(0, json.Unmarshal(text, &value))
	return value
}

func readFrame() (fields Fields, tensor Tensor) { // no fields: the host is gone
	var length uint64
	if binary.Read(os.Stdin, binary.LittleEndian, &length) != nil {
		return
	}
	frame := make([]byte, length) // panics where there is no such memory
	must(io.ReadFull(os.Stdin, frame))
	end := 8 + binary.LittleEndian.Uint64(frame)
	for name, entry := range unmarshal[map[string]json.RawMessage](frame[8:end]) {
		if name == "__metadata__" {
			fields = unmarshal[Fields](entry)
		} else { // no request has more than one tensor
			tensor = unmarshal[Tensor](entry)
			tensor.Data = frame[end:][tensor.Offsets[0]:tensor.Offsets[1]]
		}
	}
	return
}

func write(out io.Writer, fields Fields, name string, parts []Tensor) {
	header, data := map[string]any{"__metadata__": fields}, []byte{}
	for _, part := range parts {
		data = append(data, part.Data...)
	}
	if len(parts) > 0 {
		whole := parts[0]
		whole.Offsets = [2]int{0, len(data)}
		if len(parts) > 1 { // stacked on a new first axis
			whole.Shape = append([]int{len(parts)}, whole.Shape...)
		}
		header[name] = whole
	}
	text := must(json.Marshal(header))
	text = append(text, "        "[:(8-len(text)%8)%8]...)
	head := binary.LittleEndian.AppendUint64(nil, uint64(8+len(text)+len(data)))
	head = binary.LittleEndian.AppendUint64(head, uint64(len(text)))
	must(out.Write(append(append(head, text...), data...)))
}

// Serve answers until the host is gone. newLayer gets the drop probability, NaN
// and infinities too, and the config as JSON; understands names its options
// that are read beside the drop probability; describe is the description.
func Serve(newLayer func(drop float64, config map[string]json.RawMessage) Layer,
	describe Fields, understands ...string) {
	out, layers := os.Stdout, map[string]Layer{}
	os.Stdout = os.Stderr // what is printed must not stand among the frames
	describe["protocol"], describe["status"] = "1", "ok"
	plain := Fields{"in_place": "false", "channels_last": "false",
		"scale_by_keep": "true", "shared_axes": "[]", "samples": "0",
		"layer": strconv.Quote(describe["layer"])}
	understands = append(understands, "dtype", "drop_probability")
	answer := func(r Fields, x Tensor) (fields Fields, name string, y []Tensor) {
		defer func() {
			switch reason := recover().(type) {
			case nil:
			case Refusal:
				fields = Fields{"status": reason.Status, "message": reason.Reason}
			default:
				fields = Fields{"status": "error", "message": fmt.Sprint(reason)}
			}
		}()
		layer := layers[r["layer"]]
		if fields = (Fields{"status": "ok"}); r["layer"] != "" && layer == nil {
			panic("there is no layer " + r["layer"])
		}
		switch r["op"] {
		case "describe":
			fields = describe
		case "make":
			config := unmarshal[map[string]json.RawMessage]([]byte(r["config"]))
			for key, value := range config {
				if plain[key] != string(value) && !slices.Contains(understands, key) {
					panic(Refusal{"not-supported", key + " = " + string(value)})
				}
			}
			p := unmarshal[string](config["drop_probability"])
			layers[r["id"]] = newLayer(must(strconv.ParseFloat(p, 64)), config)
		case "forward":
			name, y = "output", make([]Tensor, must(strconv.Atoi(r["repeat"])))
			for i := range y {
				y[i] = layer.Forward(x, r["training"] == "1")
			}
		case "backward":
			name, y = "grad_input", []Tensor{layer.Backward(x)}
		case "reseed":
			layer.Reseed(must(strconv.ParseUint(r["seed"], 10, 64)))
		case "destroy":
			delete(layers, r["layer"])
		case "quit":
		default:
			panic(Refusal{"not-supported", "unknown operation " + r["op"]})
		}
		return
	}
	for r, x := readFrame(); r != nil; r, x = readFrame() {
		fields, name, y := answer(r, x)
		write(out, fields, name, y)
		if r["op"] == "quit" {
			return
		}
	}
}
