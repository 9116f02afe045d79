import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.*;
import java.nio.*;
import java.util.*;
import java.util.function.Function;
import java.util.regex.*;

/** Verify a dropout layer written in Java by dropcheck's worker protocol: put
 *  this file beside yours. See PROTOCOL.md and Dropout.java. */
public final class DropcheckAdapter {
  /** Compact row-major values of F64, F32, F16 or BF16, little-endian. */
  public record Tensor(String dtype, List<Long> shape, ByteBuffer data) {}

  /** Under test. Each function may throw a Refusal. */
  public interface Layer {
    Tensor forward(Tensor x, boolean training);
    Tensor backward(Tensor gradient);
    void reseed(long seed);
  }

  /** "layer-error": the layer refuses, often the right answer; "not-supported":
   *  the adapter does not have what is asked for. */
  @SuppressWarnings("serial")
  public static final class Refusal extends RuntimeException {
    final String status;
    public Refusal(String status, String why) { super(why); this.status = status; }
  }

  private static final String STRING = "\"((?:[^\"\\\\]++|\\\\.)*+)\"";
  private static final Pattern MEMBER = Pattern.compile(STRING + "\\s*:\\s*("
      + STRING + "|\\{(?:[^{}\"]|" + STRING + ")*+\\}|\\[[^\\]]*\\]|[^,}\\s]+)");

  /** Keys and values of a JSON object; inner ones as text. */
  static Map<String, String> members(String text) {
    Map<String, String> result = new TreeMap<>();
    for (Matcher m = MEMBER.matcher(text); m.find();) {
      boolean quoted = m.group(3) != null;
      result.put(m.group(1), quoted ? m.group(3).replaceAll("\\\\(.)", "$1") : m.group(2));
    }
    return result;
  }

  static List<Long> numbers(String text) {
    return Arrays.stream(text.split("[^0-9]+")).filter(s -> !s.isEmpty())
        .map(Long::valueOf).toList();
  }

  static ByteBuffer read(InputStream in, long count) throws IOException {
    byte[] bytes = in.readNBytes(Math.toIntExact(count));
    if (bytes.length < count) System.exit(0);  // the host is gone
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  static String quote(String text) {
    String escaped = text.replaceAll("[\\\\\"]", "\\\\$0");
    return '"' + escaped.replaceAll("[\\x00-\\x1f]", " ") + '"';
  }

  /** Several tensors are stacked on a new first axis. */
  static void write(OutputStream out, Map<String, String> fields, String name,
                    List<Tensor> parts) throws IOException {
    StringJoiner pairs = new StringJoiner(",", "{\"__metadata__\":{", "}");
    fields.forEach((k, v) -> pairs.add(quote(k) + ":" + quote(v)));
    String text = pairs.toString();
    int size = parts.stream().mapToInt(p -> p.data().limit()).sum();
    if (!parts.isEmpty()) {
      List<Long> shape = new ArrayList<>(parts.get(0).shape());
      if (parts.size() > 1) shape.add(0, (long) parts.size());
      text += ",\"" + name + "\":{\"dtype\":\"" + parts.get(0).dtype()
          + "\",\"shape\":" + shape + ",\"data_offsets\":[0," + size + "]}";
    }
    byte[] header = (text + "}").getBytes(UTF_8);
    ByteBuffer frame = ByteBuffer.allocate(16 + header.length + size)
        .order(ByteOrder.LITTLE_ENDIAN);
    frame.putLong(8 + header.length + size).putLong(header.length).put(header);
    for (Tensor part : parts) frame.put(part.data().duplicate().rewind());
    out.write(frame.array());
    out.flush();
  }

  /** Answers until the host is gone. make gets the config, text by key;
   *  understands are its keys that layers read beside the drop probability. */
  public static void serve(Function<Map<String, String>, Layer> make,
                           Map<String, String> describe,
                           Set<String> understands) throws IOException {
    OutputStream out = new FileOutputStream(FileDescriptor.out);
    System.setOut(System.err);  // what is printed stands not among the frames
    Map<String, Layer> layers = new HashMap<>();
    Map<String, String> plain = Map.of(
        "in_place", "false", "channels_last", "false", "scale_by_keep", "true",
        "shared_axes", "[]", "samples", "0", "layer", describe.get("layer"));
    Set<String> known = Set.of("dtype", "drop_probability");
    for (String op = ""; !op.equals("quit");) {
      ByteBuffer frame = read(System.in, read(System.in, 8).getLong());
      int end = Math.toIntExact(8 + frame.getLong());
      var header = members(new String(frame.array(), 8, end - 8, UTF_8));
      var r = members(header.remove("__metadata__"));
      Tensor x = null;  // no request has more than one tensor
      for (String text : header.values()) {
        var entry = members(text);
        var span = numbers(entry.get("data_offsets"));
        int from = span.get(0).intValue(), to = span.get(1).intValue();
        x = new Tensor(entry.get("dtype"), numbers(entry.get("shape")),
            frame.slice(end + from, to - from).order(ByteOrder.LITTLE_ENDIAN));
      }
      Map<String, String> fields = new TreeMap<>(Map.of("status", "ok"));
      List<Tensor> y = new ArrayList<>();
      op = r.get("op");
      try {
        Layer layer = layers.get(r.get("layer"));
        if (layer == null && r.containsKey("layer")) {
          throw new Refusal("error", "there is no such layer");
        }
        switch (op) {
          case "describe" -> fields.putAll(describe);
          case "make" -> {
            Map<String, String> config = members(r.get("config"));
            config.forEach((key, value) -> {
              boolean same = value.equals(plain.get(key)) || known.contains(key);
              if (!same && !understands.contains(key)) {
                throw new Refusal("not-supported", key + " = " + value);
              }
            });
            layers.put(r.get("id"), make.apply(config));
          }
          case "forward" -> {
            boolean training = r.get("training").equals("1");
            int repeat = Integer.parseInt(r.get("repeat"));
            while (y.size() < repeat) y.add(layer.forward(x, training));
          }
          case "backward" -> y.add(layer.backward(x));
          case "reseed" -> layer.reseed(Long.parseUnsignedLong(r.get("seed")));
          case "destroy" -> layers.remove(r.get("layer"));
          case "quit" -> {}
          default -> throw new Refusal("not-supported", "operation " + op);
        }
      } catch (RuntimeException error) {
        y.clear();
        fields.put("status", error instanceof Refusal no ? no.status : "error");
        fields.put("message", String.valueOf(error.getMessage()));
      }
      write(out, fields, op.equals("forward") ? "output" : "grad_input", y);
    }
  }
}
