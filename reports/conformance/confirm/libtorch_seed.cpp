// Seeds that differ above bit 31 only.
#include <torch/torch.h>

torch::Tensor mask(std::uint64_t seed) {
  torch::manual_seed(seed);
  return torch::nn::Dropout(0.5)->forward(torch::ones({4096}));
}
int main() {
  std::cout << TORCH_VERSION << " 1 and 1 + 2^32: "
            << mask(1).equal(mask(1 + (std::uint64_t{1} << 32)))
            << ", 1 and 2: " << mask(1).equal(mask(2)) << "\n";
}
