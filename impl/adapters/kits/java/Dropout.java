import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/** Inverted dropout, without any library: an example of an adapter.
 *
 *  <pre>javac -d classes DropcheckAdapter.java Dropout.java
 *  dropcheck verify 'cmd:java -cp classes Dropout'</pre> */
public final class Dropout implements DropcheckAdapter.Layer {
  private final double drop;
  private SplittableRandom random = new SplittableRandom();
  private boolean[] mask;  // of the latest forward; null: nothing was dropped

  Dropout(Map<String, String> config) {
    String text = config.get("drop_probability");
    drop = Double.parseDouble(text);  // NaN and infinities too
    if (!(drop >= 0 && drop <= 1)) {
      throw new DropcheckAdapter.Refusal(
          "layer-error", "p is " + text + ", but must be in [0, 1]");
    }
  }

  @Override
  public DropcheckAdapter.Tensor forward(DropcheckAdapter.Tensor x,
                                         boolean training) {
    mask = null;
    if (training && drop > 0) {
      mask = new boolean[x.data().limit() / width(x)];
      for (int i = 0; i < mask.length; ++i) mask[i] = random.nextDouble() >= drop;
    }
    return multiply(x);
  }

  @Override
  public DropcheckAdapter.Tensor backward(DropcheckAdapter.Tensor gradient) {
    return multiply(gradient);
  }

  @Override
  public void reseed(long seed) {
    random = new SplittableRandom(seed);
  }

  private static int width(DropcheckAdapter.Tensor x) {
    return x.dtype().equals("F64") ? 8 : 4;
  }

  private DropcheckAdapter.Tensor multiply(DropcheckAdapter.Tensor x) {
    ByteBuffer result = ByteBuffer.allocate(x.data().limit())
        .order(ByteOrder.LITTLE_ENDIAN);
    double scale = drop < 1 ? 1 / (1 - drop) : 0;
    for (int at = 0; at < result.limit(); at += width(x)) {
      boolean kept = mask == null || mask[at / width(x)];
      double factor = mask == null ? 1 : scale;
      if (width(x) == 8) {
        result.putDouble(at, kept ? x.data().getDouble(at) * factor : 0);
      } else {
        double value = x.data().getFloat(at);
        result.putFloat(at, kept ? (float) (value * factor) : 0);
      }
    }
    return new DropcheckAdapter.Tensor(x.dtype(), x.shape(), result);
  }

  public static void main(String[] arguments) throws IOException {
    // What it does where others do otherwise; this is the strict choice.
    String options = "{\"dropped_zero\": \"positive\"}";
    DropcheckAdapter.serve(Dropout::new, Map.of(
        "protocol", "1", "name", "Dropout", "version", "1", "layer", "dropout",
        "dtypes", "f32,f64", "reseed", "1", "own_state", "1", "backward", "1",
        "options", options),
        Set.of());
  }
}
