//! candle_nn::Dropout for dropcheck, on the CPU. candle cannot seed the random
//! numbers of its CPU device, so findings cannot be repeated exactly.
#[path = "../../../kits/rust/dropcheck_adapter.rs"]
mod dropcheck_adapter;

use std::str::FromStr;

use candle_core::{DType, Device, Error, Tensor as Candle, Var};
use dropcheck_adapter::{serve, Fields, Layer, Refusal, Tensor};

struct Dropout {
    layer: candle_nn::Dropout,
    latest: Option<(Var, Candle)>, // input and output
}

fn refused(error: Error) -> Refusal {
    let text = error.to_string(); // and a backtrace below it
    Refusal("layer-error", text.lines().next().unwrap_or("").into())
}

/// What is no refusal of the layer, such as a tensor that cannot be made.
fn broken(error: impl ToString) -> Refusal {
    Refusal("error", error.to_string())
}

fn to_candle(x: &Tensor) -> Result<Candle, Refusal> {
    let dtype = DType::from_str(&x.dtype.to_lowercase()).map_err(broken)?;
    Candle::from_raw_buffer(&x.data, dtype, &x.shape, &Device::Cpu).map_err(broken)
}

fn from_candle(y: &Candle, like: &Tensor) -> Result<Tensor, Refusal> {
    let mut data = vec![];
    y.write_bytes(&mut data).map_err(broken)?;
    Ok(Tensor { dtype: like.dtype.clone(), shape: y.dims().to_vec(), data })
}

impl Dropout {
    fn make(config: &Fields) -> Result<Box<dyn Layer>, Refusal> {
        let drop_p = config["drop_probability"].parse().map_err(broken)?;
        let layer = candle_nn::Dropout::new(drop_p);
        // A wrong probability is refused by the first call in training.
        let one = Candle::zeros(1, DType::F32, &Device::Cpu).map_err(broken)?;
        layer.forward(&one, true).map_err(refused)?;
        Ok(Box::new(Dropout { layer, latest: None }))
    }
}

impl Layer for Dropout {
    fn forward(&mut self, x: &Tensor, training: bool) -> Result<Tensor, Refusal> {
        let input = Var::from_tensor(&to_candle(x)?).map_err(broken)?;
        let output = self.layer.forward(&input, training).map_err(refused)?;
        let result = from_candle(&output, x)?;
        self.latest = Some((input, output));
        Ok(result)
    }

    fn backward(&mut self, gradient: &Tensor) -> Result<Tensor, Refusal> {
        let (input, output) = self.latest.as_ref().expect("a call before");
        let loss = (output * to_candle(gradient)?).and_then(|y| y.sum_all());
        let gradients = loss.and_then(|loss| loss.backward()).map_err(refused)?;
        from_candle(gradients.get(input).expect("a gradient"), gradient)
    }

    fn reseed(&mut self, _: u64) -> Result<(), Refusal> {
        Err(Refusal("not-supported", "candle does not seed its CPU".into()))
    }
}

fn main() {
    // "dropout probability has to be in [0, 1)"; the mask is multiplied by 1/keep
    // in the dtype.
    let options = r#"{"at_one": "error", "dropped_nonfinite": "nan",
        "dropped_zero": "signed", "evaluation_return": "either",
        "scale_rounding": "dtype"}"#;
    serve(Dropout::make, &[("protocol", "1"), ("layer", "dropout"),
        ("name", "candle_nn::Dropout"), ("version", "0.11.1"),
        ("dtypes", "f32,f64,f16,bf16"), ("backward", "1"),
        ("generator", "rand::rng()"), ("options", options)], &[]);
}
