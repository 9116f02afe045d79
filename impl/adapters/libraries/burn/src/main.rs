//! burn's Dropout for dropcheck, on its ndarray backend. It drops where the
//! input is on a device with gradients. All layers draw from the device's one
//! generator. Elements are all alike, so a tensor is one axis.
#[path = "../../../kits/rust/dropcheck_adapter.rs"]
mod dropcheck_adapter;

use std::panic::{catch_unwind, AssertUnwindSafe};

use burn::nn::DropoutConfig;
use burn::tensor::{DType, Device, Tensor as Burn, TensorData};
use dropcheck_adapter::{serve, Fields, Layer, Refusal, Tensor};

#[allow(deprecated)] // burn-flex is to follow ndarray
fn device() -> Device {
    Device::ndarray()
}

struct Dropout {
    layer: burn::nn::Dropout,
    slope: Option<Burn<1>>, // of the latest call, in training
}

/// What panics is a refusal.
fn refusing<T>(call: impl FnOnce() -> T) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|reason| {
        let text = reason.downcast_ref::<String>().cloned();
        Refusal("layer-error", text.unwrap_or("it panicked".into()))
    })
}

fn to_burn(x: &Tensor, device: &Device) -> Burn<1> {
    let dtype = if x.dtype == "F64" { DType::F64 } else { DType::F32 };
    let count: usize = x.shape.iter().product();
    let data = TensorData::from_bytes_vec(x.data.clone(), [count], dtype);
    Burn::from_data(data, (device, dtype))
}

fn from_burn(y: Burn<1>, like: &Tensor) -> Tensor {
    let data = y.into_data().as_bytes().to_vec();
    Tensor { dtype: like.dtype.clone(), shape: like.shape.clone(), data }
}

impl Dropout {
    fn make(config: &Fields) -> Result<Box<dyn Layer>, Refusal> {
        let prob = config["drop_probability"].parse().unwrap_or(f64::NAN);
        let layer = refusing(|| DropoutConfig::new(prob).init())?;
        Ok(Box::new(Dropout { layer, slope: None }))
    }
}

impl Layer for Dropout {
    fn forward(&mut self, x: &Tensor, training: bool) -> Result<Tensor, Refusal> {
        refusing(|| {
            self.slope = None;
            if !training {
                let input = to_burn(x, &device());
                return from_burn(self.layer.forward(input), x);
            }
            let input = to_burn(x, &device().autodiff()).require_grad();
            let output = self.layer.forward(input.clone());
            // One gradient a call is given, so that of the sum is taken at
            // once: an output depends on its own input only.
            let gradients = output.clone().sum().backward();
            self.slope = input.grad(&gradients);
            from_burn(output.inner(), x)
        })
    }

    fn backward(&mut self, gradient: &Tensor) -> Result<Tensor, Refusal> {
        refusing(|| {
            let given = to_burn(gradient, &device());
            let slope = self.slope.clone();
            from_burn(slope.map_or(given.clone(), |s| s * given), gradient)
        })
    }

    fn reseed(&mut self, seed: u64) -> Result<(), Refusal> {
        device().seed(seed);
        Ok(())
    }
}

fn main() {
    std::panic::set_hook(Box::new(|_| {})); // a refusal is no news
    // "must be finite and in the range [0, 1)"; a mask of 0 and 1 is
    // multiplied; evaluation returns the tensor.
    let options = r#"{"at_one": "error", "dropped_nonfinite": "nan",
        "dropped_zero": "signed", "evaluation_return": "either"}"#;
    serve(Dropout::make, &[("protocol", "1"), ("layer", "dropout"),
        ("name", "burn::nn::Dropout"), ("version", "0.22.1"),
        ("dtypes", "f32,f64"), ("backward", "1"), ("reseed", "1"),
        ("generator", "StdRng"), ("options", options)], &[]);
}
