// The range of p is not checked where there is nothing to drop.
#include <torch/torch.h>

int main() {
  for (const std::int64_t size : {1, 0}) {
    try {
      torch::native_dropout(torch::ones({1, size}), -0.1, true);
      std::cout << size << " elements, p = -0.1: taken\n";
    } catch (const c10::Error& error) {
      std::cout << size << " elements: " << error.what_without_backtrace()
                << "\n";
    }
  }
}
