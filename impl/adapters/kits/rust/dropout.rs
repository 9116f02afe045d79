//! Inverted dropout in Rust, without any crate: an example of an adapter.
//!
//!     rustc -O --edition 2021 dropout.rs -o my_dropout
//!     dropcheck verify cmd:./my_dropout
mod dropcheck_adapter;
use dropcheck_adapter::{serve, Fields, Layer, Refusal, Tensor};

struct Dropout {
    drop: f64,
    state: u64,
    mask: Option<Vec<bool>>,
}

impl Dropout {
    fn make(config: &Fields) -> Result<Box<dyn Layer>, Refusal> {
        let text = &config["drop_probability"];
        let drop: f64 = text.parse().unwrap_or(f64::NAN);
        if !(0.0..=1.0).contains(&drop) {
            let why = format!("p is {text}, but must be in [0, 1]");
            return Err(Refusal("layer-error", why));
        }
        let state = std::time::UNIX_EPOCH.elapsed().map_or(1, |t| t.as_nanos());
        Ok(Box::new(Dropout { drop, state: state as u64, mask: None }))
    }

    /// splitmix64, the upper 53 bits.
    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9E3779B97F4A7C15);
        let mut x = self.state;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58476D1CE4E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D049BB133111EB);
        ((x ^ (x >> 31)) >> 11) as f64 * 2f64.powi(-53)
    }

    fn multiply(&self, x: &Tensor) -> Tensor {
        let mut data = x.data.clone();
        let width = if x.dtype == "F64" { 8 } else { 4 };
        let scale = if self.drop < 1.0 { 1.0 / (1.0 - self.drop) } else { 0.0 };
        let mask = self.mask.iter().flatten();
        for (element, &kept) in data.chunks_exact_mut(width).zip(mask) {
            if !kept {
                element.fill(0);
            } else if let Ok(bytes) = <[u8; 8]>::try_from(&*element) {
                let value = f64::from_le_bytes(bytes) * scale;
                element.copy_from_slice(&value.to_le_bytes());
            } else if let Ok(bytes) = <[u8; 4]>::try_from(&*element) {
                let value = f32::from_le_bytes(bytes) as f64 * scale;
                element.copy_from_slice(&(value as f32).to_le_bytes());
            }
        }
        Tensor { dtype: x.dtype.clone(), shape: x.shape.clone(), data }
    }
}

impl Layer for Dropout {
    fn forward(&mut self, x: &Tensor, training: bool) -> Result<Tensor, Refusal> {
        let count: usize = x.shape.iter().product();
        let drop = self.drop;
        self.mask = None;
        if training && drop > 0.0 {
            let draws = (0..count).map(|_| self.uniform() >= drop);
            self.mask = Some(draws.collect());
        }
        Ok(self.multiply(x))
    }

    fn backward(&mut self, gradient: &Tensor) -> Result<Tensor, Refusal> {
        Ok(self.multiply(gradient))
    }

    /// Seeds that follow each other must not give streams that overlap.
    fn reseed(&mut self, seed: u64) -> Result<(), Refusal> {
        self.state = seed;
        let high = (self.uniform() * 2f64.powi(53)) as u64;
        let low = (self.uniform() * 2f64.powi(53)) as u64;
        self.state = high << 11 ^ low;
        Ok(())
    }
}

fn main() {
    // What it does where others do otherwise; this is the strict choice.
    let options = r#"{"dropped_zero": "positive"}"#;
    serve(Dropout::make, &[("protocol", "1"), ("layer", "dropout"),
        ("name", "Dropout"), ("version", "1"), ("dtypes", "f32,f64"),
        ("reseed", "1"), ("own_state", "1"), ("backward", "1"),
        ("options", options)], &[]);
}
