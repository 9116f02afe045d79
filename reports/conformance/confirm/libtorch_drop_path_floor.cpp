// keep + rand in bfloat16, then floor: timm 0.4.12's drop_path.
#include <torch/torch.h>

int main() {
  const auto options = torch::dtype(torch::kBFloat16);
  const std::int64_t samples = 10'000'000;
  torch::Tensor random = 0.9 + torch::rand({samples, 1}, options);
  random.floor_();
  const double dropped = (random == 0).sum().item<double>();
  std::cout << "drops " << dropped / samples << " where 0.1 is asked for; "
            << "26 / 256 = " << 26. / 256 << "\n";
  const torch::Tensor x = torch::ones({1});
  std::cout << "at p = 1: " << (x.div(0.) * 0.).item<float>() << "\n";
}
