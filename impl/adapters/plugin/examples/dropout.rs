//! Inverted dropout in Rust, without any crate: an example of a plug-in.
//!
//!     rustc -O --crate-type cdylib -o libdropout_rs.so dropout.rs
//!     dropcheck verify lib:./libdropout_rs.so

use std::ffi::{c_char, c_void, CStr};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::slice;

const OK: i32 = 0;
const REFUSED: i32 = 1;
const FAILED: i32 = 3;

// dropcheck_plugin.h and what it needs of dlpack.h.
#[repr(C)]
pub struct Message {
    text: *mut c_char,
    room: usize,
}

#[repr(C)]
pub struct Tensor {
    data: *mut c_void,
    device: [i32; 2],
    ndim: i32,
    code: u8,
    bits: u8,
    lanes: u16,
    shape: *const i64,
    strides: *const i64,
    byte_offset: u64,
}

#[repr(C)]
pub struct Plugin {
    abi: u32,
    size: u32,
    describe: extern "C" fn() -> *const c_char,
    create: extern "C" fn(*const c_char, *mut *mut c_void, *mut Message) -> i32,
    forward: extern "C" fn(
        *mut c_void, *const Tensor, i32, *mut Tensor, *mut Message) -> i32,
    backward: Option<extern "C" fn(
        *mut c_void, *const Tensor, *mut Tensor, *mut Message) -> i32>,
    reseed: Option<extern "C" fn(*mut c_void, u64, *mut Message) -> i32>,
    destroy: extern "C" fn(*mut c_void),
}

/// The layer: nothing below this line but `guarded` and the exports is unsafe.
struct Dropout {
    drop: f64,
    state: u64,
    mask: Option<Vec<bool>>,
}

trait Element: Copy {
    fn times(self, factor: f64) -> Self;
}
impl Element for f32 {
    fn times(self, factor: f64) -> f32 { (self as f64 * factor) as f32 }
}
impl Element for f64 {
    fn times(self, factor: f64) -> f64 { self * factor }
}

impl Dropout {
    fn new(config: &str) -> Result<Dropout, String> {
        let key = "\"drop_probability\":\"";
        let begin = config.find(key).ok_or("no drop_probability")? + key.len();
        let text = config[begin..].split('"').next().unwrap_or("");
        let drop: f64 = text.parse().map_err(|_| format!("p is {text}"))?;
        if !(0.0..=1.0).contains(&drop) {
            return Err(format!("p is {text}, but must be in [0, 1]"));
        }
        let state = std::time::UNIX_EPOCH.elapsed().map_or(1, |t| t.as_nanos());
        Ok(Dropout { drop, state: state as u64, mask: None })
    }

    /// splitmix64, the upper 53 bits.
    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9E3779B97F4A7C15);
        let mut x = self.state;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58476D1CE4E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D049BB133111EB);
        ((x ^ (x >> 31)) >> 11) as f64 * 2f64.powi(-53)
    }

    fn forward(&mut self, count: usize, training: bool) {
        self.mask = None;
        if training && self.drop > 0.0 {
            let drop = self.drop;
            self.mask = Some(
                (0..count).map(|_| self.uniform() >= drop).collect());
        }
    }

    fn multiply<T: Element + Default>(&self, from: &[T], to: &mut [T]) {
        let scale = if self.drop < 1.0 { 1.0 / (1.0 - self.drop) } else { 0.0 };
        match &self.mask {
            None => to.copy_from_slice(from),
            Some(mask) => for (i, y) in to.iter_mut().enumerate() {
                *y = if mask[i] { from[i].times(scale) } else { T::default() };
            },
        }
    }
}

fn count_of(tensor: &Tensor) -> usize {
    (0..tensor.ndim as usize)
        .map(|axis| unsafe { *tensor.shape.add(axis) } as usize)
        .product()
}

fn multiply(layer: &Dropout, from: &Tensor, to: &mut Tensor) {
    let count = count_of(from);
    if count == 0 {
        return;
    }
    unsafe {
        if from.bits == 32 {
            layer.multiply(
                slice::from_raw_parts(from.data as *const f32, count),
                slice::from_raw_parts_mut(to.data as *mut f32, count));
        } else {
            layer.multiply(
                slice::from_raw_parts(from.data as *const f64, count),
                slice::from_raw_parts_mut(to.data as *mut f64, count));
        }
    }
}

/// No panic crosses; what `body` refuses is written into the message.
fn guarded(message: *mut Message, body: impl FnOnce() -> Result<(), String>)
        -> i32 {
    let (status, reason) = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return OK,
        Ok(Err(reason)) => (REFUSED, reason),
        Err(_) => (FAILED, String::from("a panic")),
    };
    let Message { text, room } = unsafe { &*message };
    let length = reason.len().min(room - 1);
    unsafe {
        std::ptr::copy_nonoverlapping(reason.as_ptr(), *text as *mut u8, length);
        *text.add(length) = 0;
    }
    status
}

extern "C" fn describe() -> *const c_char {
    let text = concat!(
        r#"{"name": "dropout.rs", "version": "1", "layer": "dropout","#,
        r#" "dtypes": ["f32", "f64"], "generator": "splitmix64"}"#, "\0");
    text.as_ptr() as *const c_char
}

extern "C" fn create(config: *const c_char, layer: *mut *mut c_void,
                     message: *mut Message) -> i32 {
    guarded(message, || {
        let config = unsafe { CStr::from_ptr(config) }.to_string_lossy();
        let made = Box::new(Dropout::new(&config)?);
        unsafe { *layer = Box::into_raw(made) as *mut c_void };
        Ok(())
    })
}

extern "C" fn forward(layer: *mut c_void, input: *const Tensor, training: i32,
                      output: *mut Tensor, message: *mut Message) -> i32 {
    guarded(message, || {
        let layer = unsafe { &mut *(layer as *mut Dropout) };
        let (input, output) = unsafe { (&*input, &mut *output) };
        layer.forward(count_of(input), training != 0);
        multiply(layer, input, output);
        Ok(())
    })
}

extern "C" fn backward(layer: *mut c_void, grad_output: *const Tensor,
                       grad_input: *mut Tensor, message: *mut Message) -> i32 {
    guarded(message, || {
        let layer = unsafe { &*(layer as *const Dropout) };
        unsafe { multiply(layer, &*grad_output, &mut *grad_input) };
        Ok(())
    })
}

/// Seeds that follow each other must not give streams that overlap.
extern "C" fn reseed(layer: *mut c_void, seed: u64, message: *mut Message)
        -> i32 {
    guarded(message, || {
        let layer = unsafe { &mut *(layer as *mut Dropout) };
        layer.state = seed;
        let high = (layer.uniform() * 2f64.powi(53)) as u64;
        let low = (layer.uniform() * 2f64.powi(53)) as u64;
        layer.state = high << 11 ^ low;
        Ok(())
    })
}

extern "C" fn destroy(layer: *mut c_void) {
    drop(unsafe { Box::from_raw(layer as *mut Dropout) });
}

static PLUGIN: Plugin = Plugin {
    abi: 1,
    size: std::mem::size_of::<Plugin>() as u32,
    describe,
    create,
    forward,
    backward: Some(backward),
    reseed: Some(reseed),
    destroy,
};

#[no_mangle]
pub extern "C" fn dropcheck_plugin_get(index: u32) -> *const Plugin {
    if index == 0 { &PLUGIN } else { std::ptr::null() }
}
