// AlphaDropout(p).inplace(true) leaves its input as it was.
#include <torch/torch.h>

template <class Module>
void show(const char* name, Module layer) {
  torch::Tensor x = torch::ones({1, 64, 2, 2});
  const torch::Tensor y = layer->forward(x);
  std::cout << name << ": in place " << (y.data_ptr() == x.data_ptr())
            << ", input changed " << !x.equal(torch::ones_like(x)) << "\n";
}
int main() {
  namespace nn = torch::nn;
  show("Dropout", nn::Dropout(nn::DropoutOptions(.5).inplace(true)));
  show("AlphaDropout",
       nn::AlphaDropout(nn::AlphaDropoutOptions(.5).inplace(true)));
  show("FeatureAlphaDropout",
       nn::FeatureAlphaDropout(
           nn::FeatureAlphaDropoutOptions(.5).inplace(true)));
}
