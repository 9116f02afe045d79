import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.deeplearning4j.nn.conf.dropout.AlphaDropout;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.dropout.GaussianDropout;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.dropout.SpatialDropout;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The dropouts of Deeplearning4j for dropcheck: java Dl4j NAME. They take the
 *  probability of retaining, and know no evaluation: "IDropout instances are
 *  not applied at test time". All draw from ND4J's one generator. */
public final class Dl4j implements DropcheckAdapter.Layer {
  private final IDropout layer;
  private boolean dropped;  // by the latest call

  Dl4j(Function<Double, IDropout> make, Map<String, String> config) {
    try {
      layer = make.apply(Double.parseDouble(config.get("drop_probability")));
    } catch (IllegalArgumentException error) {
      throw refusal(error);
    }
  }

  static DropcheckAdapter.Refusal refusal(RuntimeException error) {
    return new DropcheckAdapter.Refusal("layer-error", error.getMessage());
  }

  static DataType typeOf(DropcheckAdapter.Tensor x) {
    return switch (x.dtype()) {
      case "F64" -> DataType.DOUBLE;
      case "F16" -> DataType.HALF;
      case "BF16" -> DataType.BFLOAT16;
      default -> DataType.FLOAT;
    };
  }

  static INDArray arrayOf(DropcheckAdapter.Tensor x) {
    long[] shape = x.shape().stream().mapToLong(Long::longValue).toArray();
    INDArray array = Nd4j.createUninitialized(typeOf(x), shape);
    if (!array.isEmpty()) bytesOf(array).put(x.data().duplicate().rewind());
    return array;
  }

  static ByteBuffer bytesOf(INDArray array) {
    long size = array.length() * array.dataType().width();
    return array.data().pointer().asByteBuffer().limit((int) size)
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  static DropcheckAdapter.Tensor tensorOf(INDArray y, DropcheckAdapter.Tensor like) {
    List<Long> shape = new ArrayList<>();
    for (long extent : y.shape()) shape.add(extent);
    byte[] bytes = new byte[(int) y.length() * y.dataType().width()];
    if (!y.isEmpty()) bytesOf(y).get(bytes);
    return new DropcheckAdapter.Tensor(like.dtype(), shape, ByteBuffer.wrap(bytes));
  }

  @Override
  public DropcheckAdapter.Tensor forward(DropcheckAdapter.Tensor x, boolean training) {
    dropped = training;
    INDArray input = arrayOf(x);
    if (!training) return tensorOf(input, x);
    INDArray output = Nd4j.createUninitialized(typeOf(x), input.shape());
    try {
      INDArray result = layer.applyDropout(
          input, output, 0, 0, LayerWorkspaceMgr.noWorkspacesImmutable());
      return tensorOf(result, x);
    } catch (RuntimeException error) {
      throw refusal(error);
    }
  }

  @Override
  public DropcheckAdapter.Tensor backward(DropcheckAdapter.Tensor gradient) {
    INDArray given = arrayOf(gradient);
    if (!dropped) return tensorOf(given, gradient);
    INDArray result = Nd4j.createUninitialized(given.dataType(), given.shape());
    try {
      // It forgets its mask, and we may be asked again.
      boolean gaussian = layer instanceof GaussianDropout;
      Field mask = layer.getClass().getDeclaredField(gaussian ? "noise" : "mask");
      mask.setAccessible(true);
      INDArray kept = ((INDArray) mask.get(layer)).dup();
      layer.backprop(given, result, 0, 0);
      mask.set(layer, kept);
      return tensorOf(result, gradient);
    } catch (ReflectiveOperationException error) {
      throw new IllegalStateException(error);
    }
  }

  @Override
  public void reseed(long seed) {
    Nd4j.getRandom().setSeed(seed);
  }

  record Subject(String law, Function<Double, IDropout> make, String atOne,
                 String dtypes) {}

  // AlphaDropout's constants overflow f16 where next to nothing is retained,
  // and the deviation of GaussianDropout is infinite at a rate of 1.
  static final Map<String, Subject> SUBJECTS = Map.of(
      "Dropout", new Subject(
          "dropout", p -> new Dropout(1 - p), "error", "f32,f64,f16,bf16"),
      "AlphaDropout", new Subject(
          "alpha_dropout", p -> new AlphaDropout(1 - p), "error", "f32,f64,bf16"),
      "GaussianDropout", new Subject(
          "gaussian_dropout", GaussianDropout::new, "formula", "f32,f64"),
      "SpatialDropout", new Subject(
          "spatial_dropout", p -> new SpatialDropout(1 - p), "error",
          "f32,f64,f16,bf16"));

  public static void main(String[] arguments) throws Exception {
    Subject subject = SUBJECTS.get(arguments[0]);
    String options = "{\"at_one\": \"" + subject.atOne() + "\", "
        + "\"beyond_ends\": \"accepted\", \"dropped_nonfinite\": \"nan\", "
        + "\"dropped_zero\": \"signed\", \"scale_rounding\": \"dtype\"}";
    Nd4j.create(1);  // logs and native code are loaded before the frames
    DropcheckAdapter.serve(config -> new Dl4j(subject.make(), config),
        new TreeMap<>(Map.of("protocol", "1", "name", arguments[0], "version", "1.0.0-M2.1",
            "layer", subject.law(), "dtypes", subject.dtypes(), "reseed", "1",
            "backward", "1", "options", options)),
        Set.of());
  }
}
