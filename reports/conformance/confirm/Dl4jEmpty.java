// Deeplearning4j: Dropout and AlphaDropout of an empty array.
import org.deeplearning4j.nn.conf.dropout.AlphaDropout;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

public class Dl4jEmpty {
  public static void main(String[] arguments) {
    for (IDropout layer : new IDropout[] {new Dropout(0.5), new AlphaDropout(0.5)}) {
      try {
        System.out.println(layer.getClass().getSimpleName() + ": " + layer.applyDropout(
            Nd4j.create(DataType.FLOAT, 0, 5), Nd4j.create(DataType.FLOAT, 0, 5), 0, 0,
            LayerWorkspaceMgr.noWorkspacesImmutable()).shapeInfoToString());
      } catch (RuntimeException error) {
        System.out.println(layer.getClass().getSimpleName() + ": " + error.getMessage());
      }
    }
  }
}
