// Deeplearning4j: how many of 16 million Dropout(0.5) drops, in each dtype.
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

public class Dl4jRates {
  public static void main(String[] arguments) {
    for (DataType type : new DataType[] {
        DataType.DOUBLE, DataType.FLOAT, DataType.HALF, DataType.BFLOAT16}) {
      double dropped = 0;
      for (int call = 0; call < 16; ++call) {
        INDArray result = new Dropout(0.5).applyDropout(Nd4j.ones(type, 1000000),
            Nd4j.create(type, 1000000), 0, 0,
            LayerWorkspaceMgr.noWorkspacesImmutable());
        dropped += 1000000 - result.castTo(DataType.DOUBLE).sumNumber().doubleValue() / 2;
      }
      System.out.printf("%s: %.6f are dropped%n", type, dropped / 16e6);
    }
  }
}
