// Deeplearning4j: masks of Dropout after seeds that differ in high bits.
// java -cp 'jars/*' Dl4jSeeds.java, with deeplearning4j-nn and nd4j-native
// (linux-x86_64) 1.0.0-M2.1 and what they need in jars
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

public class Dl4jSeeds {
  static INDArray mask(long seed, int size) {
    Nd4j.getRandom().setSeed(seed);
    return new Dropout(0.5).applyDropout(Nd4j.ones(size), Nd4j.create(size), 0,
        0, LayerWorkspaceMgr.noWorkspacesImmutable());
  }

  public static void main(String[] arguments) {
    INDArray first = mask(12345, 100000);
    for (int bit = 20; bit < 64; bit += bit < 30 ? 1 : 11) {
      long differ = first.neq(mask(12345 ^ 1L << bit, 100000)).castTo(
          org.nd4j.linalg.api.buffer.DataType.LONG).sumNumber().longValue();
      System.out.println("bit " + bit + " of the seed changes " + differ
          + " of 100000 decisions (50000 are due)");
    }
  }
}
