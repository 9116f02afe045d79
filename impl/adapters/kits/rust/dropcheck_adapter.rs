//! Verify a dropout layer written in Rust by dropcheck's worker protocol: put
//! this file beside yours. No crates. See PROTOCOL.md and dropout.rs.
use std::collections::{BTreeMap, HashMap};
use std::io::{stdin, stdout, Read, Write};

pub type Fields = BTreeMap<String, String>;

/// Compact row-major values: little-endian bytes of F64, F32, F16 or BF16.
#[derive(Default)]
pub struct Tensor { pub dtype: String, pub shape: Vec<usize>, pub data: Vec<u8> }

/// "layer-error": the layer refuses, often the right answer; "not-supported":
/// the adapter does not have it; "error": the adapter is broken. And why.
pub struct Refusal(pub &'static str, pub String);

pub trait Layer {
    fn forward(&mut self, x: &Tensor, training: bool) -> Result<Tensor, Refusal>;
    fn backward(&mut self, gradient: &Tensor) -> Result<Tensor, Refusal>;
    fn reseed(&mut self, seed: u64) -> Result<(), Refusal>;
}

/// Keys and values of a JSON object; inner ones as text, strings without quotes.
fn members(text: &str) -> Fields {
    let (mut parts, mut part, mut depth) = (vec![], String::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        let inner = depth > 1;
        if escaped || (quoted && c != '"' && c != '\\') {
            escaped = false;
            part.push(c);
        } else if c == '"' || c == '\\' {
            (quoted, escaped) = (quoted != (c == '"'), c == '\\');
            part.extend(inner.then_some(c));
        } else if "{[".contains(c) {
            part.extend((depth > 0).then_some(c));
            depth += 1;
        } else if "}]".contains(c) {
            part.extend(inner.then_some(c));
            depth -= 1;
        } else if !inner && ":,".contains(c) {
            parts.push(std::mem::take(&mut part));
        } else if !c.is_whitespace() {
            part.push(c);
        }
    }
    parts.push(part);
    parts.chunks_exact(2).map(|p| (p[0].clone(), p[1].clone())).collect()
}

fn numbers(text: &str) -> Vec<usize> {
    text.split(|c: char| !c.is_ascii_digit()).flat_map(str::parse).collect()
}

fn quote(text: &str) -> String {
    let text = text.replace('\\', r"\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace(char::is_control, " "))
}

/// A request, which has one tensor at most; panics for what is no frame.
fn read_frame() -> Option<(Fields, Tensor)> {
    let (mut prefix, mut frame) = ([0; 8], vec![]);
    stdin().read_exact(&mut prefix).ok()?;
    let length = u64::from_le_bytes(prefix);
    let got = stdin().take(length).read_to_end(&mut frame).ok()?;
    assert_eq!(got as u64, length, "half a frame");
    prefix.copy_from_slice(&frame[..8]);
    let end = 8 + u64::from_le_bytes(prefix) as usize;
    let mut header = members(std::str::from_utf8(&frame[8..end]).unwrap());
    let fields = members(&header.remove("__metadata__").unwrap());
    let mut tensor = Tensor::default();
    for entry in header.values().map(|text| members(text)) {
        let span = numbers(&entry["data_offsets"]);
        let data = frame[end + span[0]..end + span[1]].to_vec();
        let shape = numbers(&entry["shape"]);
        tensor = Tensor { dtype: entry["dtype"].clone(), shape, data };
    }
    Some((fields, tensor))
}

/// Several tensors are stacked on a new first axis.
fn write_frame(fields: &Fields, name: &str, parts: &[Tensor]) -> Vec<u8> {
    let pairs = fields.iter().map(|(k, v)| format!("{}:{}", quote(k), quote(v)));
    let pairs = pairs.collect::<Vec<_>>();
    let mut text = format!("{{\"__metadata__\":{{{}}}", pairs.join(","));
    let data = parts.iter().map(|p| &p.data[..]).collect::<Vec<_>>().concat();
    if let Some(first) = parts.first() {
        let mut shape = first.shape.clone();
        if parts.len() > 1 { shape.insert(0, parts.len()); }
        text += &format!(",\"{name}\":{{\"dtype\":\"{}\",\"shape\":{shape:?},\
            \"data_offsets\":[0,{}]}}", first.dtype, data.len());
    }
    text += "}";
    text += &" ".repeat((8 - text.len() % 8) % 8);
    let lengths = [8 + text.len() + data.len(), text.len()];
    let head = lengths.iter().flat_map(|n| (*n as u64).to_le_bytes());
    head.chain(text.bytes()).chain(data).collect()
}

/// Answers until the host is gone. `make` gets the config, text by key;
/// `understands` are its keys that the layers read beside the drop probability.
pub fn serve(make: impl Fn(&Fields) -> Result<Box<dyn Layer>, Refusal>,
             describe: &[(&str, &str)], understands: &[&str]) {
    let mut layers: HashMap<String, Box<dyn Layer>> = HashMap::new();
    let own = |pairs: &[(&str, &str)]| -> Fields {
        pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
    };
    let mut plain = own(&[("in_place", "false"), ("channels_last", "false"),
        ("scale_by_keep", "true"), ("shared_axes", "[]"), ("samples", "0")]);
    plain.insert("layer".into(), own(describe)["layer"].clone());
    let known = [&["dtype", "drop_probability"], understands].concat();
    while let Some((r, x)) = read_frame() {
        let (mut fields, mut name, mut y) = (own(&[("status", "ok")]), "", vec![]);
        let (op, id) = (r["op"].as_str(), r.get("layer"));
        let mut answer = || -> Result<(), Refusal> {
            let layer = id.and_then(|id| layers.get_mut(id));
            match (op, layer) {
                ("describe", _) => fields.extend(own(describe)),
                ("make", _) => {
                    let config = members(&r["config"]);
                    for (k, v) in &config {
                        if plain.get(k) != Some(v) && !known.contains(&&k[..]) {
                            Err(Refusal("not-supported", format!("{k}={v}")))?
                        }
                    }
                    layers.insert(r["id"].clone(), make(&config)?);
                }
                ("forward", Some(layer)) => for _ in 0..numbers(&r["repeat"])[0] {
                    name = "output";
                    y.push(layer.forward(&x, r["training"] == "1")?);
                },
                ("backward", Some(layer)) => {
                    name = "grad_input";
                    y.push(layer.backward(&x)?);
                }
                ("reseed", Some(layer)) => layer.reseed(r["seed"].parse().unwrap())?,
                ("destroy", Some(_)) => drop(layers.remove(&r["layer"])),
                ("quit", _) => {}
                (_, None) if id.is_some() => Err(Refusal("error", "no layer".into()))?,
                _ => Err(Refusal("not-supported", format!("operation {op}")))?,
            }
            Ok(())
        };
        if let Err(Refusal(status, why)) = answer() {
            (fields, y) = (own(&[("status", status), ("message", &why)]), vec![]);
        }
        stdout().write_all(&write_frame(&fields, name, &y)).unwrap();
        stdout().flush().unwrap();
        if op == "quit" { return; }
    }
}
