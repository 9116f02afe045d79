// The token is the only thing that a person copies from a failure: it must say
// everything, survive a shell, and be refused with a reason when it was cut.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <stdexcept>
#include <string>

#include "dropcheck/properties/check_catalogue.hpp"
#include "dropcheck/properties/verify.hpp"

namespace dropcheck::properties {
namespace {

using ::testing::HasSubstr;

/// A double of any magnitude in [0, 1], with all its bits.
double any_unit() {
  const auto word = *rc::gen::arbitrary<std::uint64_t>();
  const auto exponent = *rc::gen::inRange(0, 60);
  return std::ldexp(static_cast<double>(word), -64 - exponent);
}

ReplayToken any_token() {
  ReplayToken token;
  token.version = *rc::gen::element<std::string>("0.1.0", "1.2.3-rc 1", "");
  token.subject = *rc::gen::oneOf(
      rc::gen::element<std::string>("builtin:dropout", "cmd:python3 a b.py",
                                    "cmd:f --x=1,2 100%", "py:a.b:make", "é"),
      rc::gen::string<std::string>());
  const auto all = checks();
  token.check = all[*rc::gen::inRange<std::size_t>(0, all.size())].name;
  const auto laws = impl::laws();
  token.config.layer =
      laws[*rc::gen::inRange<std::size_t>(0, laws.size())].layer;
  token.config.drop_probability = any_unit();
  token.config.dtype =
      *rc::gen::element(impl::DType::kFloat64, impl::DType::kFloat32,
                        impl::DType::kFloat16, impl::DType::kBFloat16);
  token.config.in_place = *rc::gen::arbitrary<bool>();
  token.config.channels_last = *rc::gen::arbitrary<bool>();
  token.config.scale_by_keep = *rc::gen::arbitrary<bool>();
  token.config.shared_axes =
      *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 8));
  token.config.samples = *rc::gen::inRange<std::int64_t>(0, 100);
  token.config.block = {
      *rc::gen::inRange<std::int64_t>(1, 9), *rc::gen::arbitrary<bool>(),
      *rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>(),
      *rc::gen::arbitrary<bool>()};
  token.shape = *rc::gen::container<impl::Shape>(
      rc::gen::inRange<std::int64_t>(0, 100000));
  token.generated = *rc::gen::arbitrary<bool>();
  token.structure_n = *rc::gen::inRange<std::uint64_t>(0, 1000);
  token.own_shape = *rc::gen::arbitrary<bool>();
  token.profile = *rc::gen::element(Profile::kSmoke, Profile::kPr,
                                    Profile::kNightly, Profile::kExhaustive);
  token.delta = any_unit() / 2;
  token.margin = any_unit() / 2;
  token.rate_n_max = *rc::gen::positive<std::uint64_t>();
  token.alpha = 1e-300 + any_unit() / 3;
  token.weight = any_unit();
  token.seed = *rc::gen::arbitrary<std::uint64_t>();
  return token;
}

bool same(const ReplayToken& a, const ReplayToken& b) {
  return a.version == b.version && a.subject == b.subject &&
         a.check == b.check && a.config == b.config && a.shape == b.shape &&
         a.generated == b.generated && a.structure_n == b.structure_n &&
         a.own_shape == b.own_shape && a.profile == b.profile &&
         a.delta == b.delta && a.margin == b.margin &&
         a.rate_n_max == b.rate_n_max && a.alpha == b.alpha &&
         a.weight == b.weight && a.seed == b.seed;
}

RC_GTEST_PROP(ReplayToken, RoundTrips, ()) {
  const ReplayToken token = any_token();
  const std::string text = encode(token);
  RC_ASSERT(same(decode_token(text), token));
  // Nothing that a shell reads, no blank, no byte beyond ASCII.
  RC_ASSERT(text.find_first_not_of(
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                "._:+-/,=%") == std::string::npos);
}

// Cut anywhere, as by a terminal: refused, never another configuration. Only
// the digits of the last field, the seed, may go unseen.
RC_GTEST_PROP(ReplayToken, IsRefusedWhenCut, ()) {
  const std::string text = encode(any_token());
  const std::size_t seed = text.rfind(",seed=") + 6;
  const auto length = *rc::gen::inRange<std::size_t>(0, seed + 1);
  RC_ASSERT_THROWS_AS(decode_token(text.substr(0, length)),
                      std::invalid_argument);
}

const std::string kRight =
    "dc1,version=0.1,subject=builtin:dropout,check=drop_rate,layer=dropout,"
    "p=0.1,dtype=f32,shape=61x67,own_shape=0,profile=smoke,delta=0.01,"
    "margin=0.05,n_max=900,alpha=1e-09,weight=0.5,seed=7";

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = kRight;
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("no " + from);
  return text.replace(at, from.size(), to);
}

struct Malformed {
  std::string text;
  std::string field;
};

TEST(ReplayToken, NamesTheFieldThatIsWrong) {
  EXPECT_NO_THROW(decode_token(kRight));
  for (const auto& [text, field] : std::vector<Malformed>{
           {"", "start"},
           {"dc2" + kRight.substr(3), "start"},
           {replaced("version=0.1,", ""), "version"},
           {replaced("subject=builtin:dropout,", ""), "subject"},
           {replaced("seed=7", "seed=-7"), "seed"},
           {replaced("seed=7", "seed=7x"), "seed"},
           {replaced("seed=7", "seed="), "seed"},
           {replaced("seed=7", "seed=18446744073709551616"), "seed"},
           {replaced(",seed=7", ""), "seed"},
           {replaced("p=0.1", "p=1.1"), "p is '1.1'"},
           {replaced("p=0.1", "p=-0.1"), "p is '-0.1'"},
           {replaced("p=0.1", "p=nan"), "p is 'nan'"},
           {replaced("p=0.1", "p=a"), "p is 'a'"},
           {replaced("f32", "f33"), "dtype"},
           {replaced("61x67", "61x"), "shape"},
           {replaced("61x67", ""), "shape"},
           {replaced("61x67", "61y67"), "shape"},
           {replaced("61x67", "61x-3"), "shape"},
           {replaced("smoke", "smok"), "profile"},
           {replaced("delta=0.01", "delta=0.6"), "delta"},
           {replaced("margin=0.05", "margin=nan"), "margin"},
           {replaced("n_max=900", "n_max=-1"), "n_max"},
           {replaced("n_max=900", "n_max=0"), "n_max is '0'"},
           {replaced("seed=7", "seed=7,seed=8"), "seed is '8'"},
           {replaced("p=0.1", "p=0.1,p=0.2"), "given once"},
           {replaced("p=0.1", "q=0.1"), "field is 'q'"},
           {replaced("f32", "f32,in_place=0"), "in_place is '0'"},
           {replaced("alpha=1e-09", "alpha=0"), "alpha"},
           {replaced("weight=0.5", "weight=2"), "weight"},
           {replaced("own_shape=0", "own_shape=yes"), "own_shape"},
           {replaced("dtype=f32", "dtype=f32,shared=1+x"), "shared"},
           {replaced("dtype=f32", "dtype=f32,shared=-1"), "shared"},
           {replaced("dtype=f32", "dtype=f32,samples=1.5"), "samples"},
           {replaced("dtype=f32", "dtype=f32,samples=-2"), "samples"},
           {replaced("dtype=f32", "dtype=f32,depth=0"), "depth"},
           {replaced("dtype=f32", "dtype=f32,width=1x"), "width"},
           {replaced("dtype=f32", "dtype=f32,heads=-1"), "heads"},
           {replaced("builtin", "%4"), "escape"},
           {replaced("builtin", "%zz"), "escape"},
           {replaced("own_shape=0", "own_shape"), "own_shape"}}) {
    try {
      decode_token(text);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), HasSubstr("replay token"));
      EXPECT_THAT(error.what(), HasSubstr(field)) << text;
    }
  }
}

}  // namespace
}  // namespace dropcheck::properties
