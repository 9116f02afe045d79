// A drop probability below 0, or no number, drops nothing and says nothing.
#include <torch/torch.h>

int main() {
  const torch::Tensor x = torch::ones({1, 4, 4});
  for (const double p : {-0.1, std::nan(""), 1.5}) {
    try {
      const auto y = std::get<0>(
          torch::_scaled_dot_product_attention(x, x, x, {}, p, false, false));
      std::cout << p << ": equal to p = 0: " << y.allclose(x) << "\n";
    } catch (const c10::Error& error) {
      std::cout << p << ": " << error.what_without_backtrace() << "\n";
    }
  }
}
