#include "dropcheck/generators/rapidcheck_source.hpp"

#include "dropcheck/generators/cases.hpp"
#include "dropcheck/impl/random_stream.hpp"

namespace dropcheck::generators {
namespace {

rc::Random random_of(std::uint64_t seed, std::uint64_t number) {
  rc::Random::Key key{};
  for (std::size_t word = 0; word < key.size(); ++word) {
    key[word] = impl::keyed_word(seed, number, word);
  }
  return {key};
}

}  // namespace

std::vector<properties::DrawnCase> RapidCheckSource::draw(
    const properties::CaseWish& wish, std::uint64_t seed,
    std::size_t count) const {
  const rc::Gen<properties::DrawnCase> generator = cases(wish);
  std::vector<properties::DrawnCase> drawn;
  for (std::uint64_t number = 0; number < count; ++number) {
    drawn.push_back(generator(random_of(seed, number)).value());
  }
  return drawn;
}

}  // namespace dropcheck::generators
