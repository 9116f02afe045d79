// Deeplearning4j: Dropout(1.0) retains everything; does it, in each dtype?
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

public class Dl4jRetainAll {
  public static void main(String[] arguments) {
    for (DataType type : new DataType[] {
        DataType.DOUBLE, DataType.FLOAT, DataType.HALF, DataType.BFLOAT16}) {
      INDArray ones = Nd4j.ones(type, 4000000);
      INDArray result = new Dropout(1.0).applyDropout(ones,
          Nd4j.create(type, 4000000), 0, 0, LayerWorkspaceMgr.noWorkspacesImmutable());
      double kept = result.castTo(DataType.DOUBLE).sumNumber().doubleValue();
      System.out.println(type + ": " + (4000000 - Math.round(kept))
          + " of 4000000 are dropped");
    }
  }
}
