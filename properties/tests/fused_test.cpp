// Masks that are read back piece by piece give the tallies of those that are
// read from whole results, and of the readable layer code.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <memory>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/piecewise.hpp"
#include "sampler.hpp"
#include "support.hpp"

namespace dropcheck::properties {
namespace {

/// A layer that shows whole results only.
class WholeLayer final : public impl::Layer {
 public:
  explicit WholeLayer(std::unique_ptr<impl::Layer> layer)
      : layer_(std::move(layer)) {}
  impl::TensorView forward(const impl::Call& call) override {
    return layer_->forward(call);
  }
  impl::TensorView backward(const impl::TensorView& gradient) override {
    return layer_->backward(gradient);
  }
  void reseed(std::uint64_t seed) override { layer_->reseed(seed); }

 private:
  std::unique_ptr<impl::Layer> layer_;
};

/// One that counts its pieces, and turns one value of them into nonsense.
class PiecesOnly final : public impl::Layer, public impl::PiecewiseLayer {
 public:
  /// The element `wrong` of the second call of four, and the one before it of
  /// the fourth.
  PiecesOnly(std::unique_ptr<impl::Layer> layer, std::int64_t wrong)
      : layer_(std::move(layer)), wrong_(wrong) {}
  impl::TensorView forward(const impl::Call&) override {
    throw impl::LayerError("whole results are not asked for");
  }
  bool forward_in_pieces(const impl::Call& call,
                         const impl::TakePiece& take) override {
    return dynamic_cast<impl::PiecewiseLayer&>(*layer_).forward_in_pieces(
        call, [&](impl::Piece piece) {
          const auto* values = static_cast<const float*>(piece.values);
          std::vector<float> changed(values, values + piece.count);
          spoil(piece, 1, wrong_, changed);
          spoil(piece, 3, wrong_ - 1, changed);
          piece.values = changed.data();
          take(piece);
        });
  }
  impl::TensorView backward(const impl::TensorView& gradient) override {
    return layer_->backward(gradient);
  }
  void reseed(std::uint64_t seed) override { layer_->reseed(seed); }

 private:
  static void spoil(const impl::Piece& piece, std::int64_t call,
                    std::int64_t element, std::vector<float>& values) {
    const std::int64_t i = element - piece.first;
    if (piece.call != call || i < 0 || i >= piece.count) return;
    values[static_cast<std::size_t>(i)] = 1e30F;
  }

  std::unique_ptr<impl::Layer> layer_;
  std::int64_t wrong_;
};

template <class Wrap>
impl::SubjectEntry wrapped(impl::SubjectEntry entry, Wrap wrap) {
  struct Wrapped final : impl::Subject {
    Wrapped(std::unique_ptr<impl::Subject> subject_, Wrap wrap_)
        : subject(std::move(subject_)), wrap(wrap_) {}
    const impl::Description& describe() const override {
      return subject->describe();
    }
    std::unique_ptr<impl::Layer> make(
        const impl::LayerConfig& config) override {
      return wrap(subject->make(config));
    }
    std::unique_ptr<impl::Subject> subject;
    Wrap wrap;
  };
  entry.open = [open = std::move(entry.open),
                wrap]() -> std::unique_ptr<impl::Subject> {
    return std::make_unique<Wrapped>(open(), wrap);
  };
  return entry;
}

/// Two blocks of a subject, with their structure.
Tally tally_of(const impl::SubjectEntry& entry, const Experiment& experiment) {
  constexpr std::int64_t kCalls = 5;
  const PlannedSubject planned{entry, {}, {}, {}, false};
  SubjectPool pool(planned);
  // Calibrated on the same subject always.
  const auto subject =
      testing::subject("builtin:" + experiment.config.layer).open();
  const Inputs inputs = make_inputs(*subject, experiment);
  const MaskReader reader(
      *experiment.law, experiment.config, inputs.base,
      draw_outputs(*subject, experiment, inputs.input, 1, 64));
  const Sampler sampler(experiment, pool, inputs, reader, kCalls);
  Tally tally = sampler.block(0, true);
  tally.merge(sampler.block(1, true));
  return tally;
}

Experiment experiment_of(const char* layer, const impl::Shape& shape) {
  Experiment experiment;
  experiment.law = impl::find_law(layer);
  experiment.config.layer = layer;
  experiment.shape = shape;
  experiment.run_seed = 3;
  return experiment;
}

TEST(Pieces, GiveTheTalliesOfWholeResults) {
  EXPECT_TRUE(rc::check([] {
    const auto* layer =
        *rc::gen::element("dropout", "alpha_dropout", "gaussian_dropout",
                          "drop_path", "dropout1d", "variational_dropout",
                          "dropout2d", "token_dropout", "drop_block2d");
    impl::Shape shape{*rc::gen::inRange(1, 90).as("rows"),
                      *rc::gen::inRange(1, 90).as("columns")};
    const impl::Law& law = *impl::find_law(layer);
    while (std::ssize(shape) < law.minimum_rank) {
      shape.push_back(*rc::gen::inRange(1, 5).as("extent"));
    }
    auto experiment = experiment_of(layer, shape);
    experiment.run_seed = *rc::gen::arbitrary<std::uint64_t>().as("seed");
    experiment.config.drop_probability =
        *rc::gen::inRange(1, 100).as("drop in hundredths") / 100.0;
    experiment.config.dtype =
        *rc::gen::element(impl::DType::kFloat32, impl::DType::kFloat64,
                          impl::DType::kFloat16, impl::DType::kBFloat16);
    experiment.config.in_place =
        law.has_in_place && *rc::gen::arbitrary<bool>().as("in place");
    const auto& entry = testing::subject(std::string("builtin:") + layer);
    const auto whole = wrapped(entry, [](std::unique_ptr<impl::Layer> inner) {
      return std::make_unique<WholeLayer>(std::move(inner));
    });
    const Tally tally = tally_of(entry, experiment);
    RC_ASSERT(tally == tally_of(whole, experiment));
    RC_ASSERT(tally.calls == 10U);
  }));
}

TEST(Pieces, AreReadWhereALayerOffersThem) {
  const auto experiment = experiment_of("dropout", {100, 101});
  const auto& entry = testing::subject("builtin:dropout");
  for (const std::int64_t wrong : {1, 2048, 4095, 4096, 10099}) {
    const auto pieces =
        wrapped(entry, [wrong](std::unique_ptr<impl::Layer> inner) {
          return std::make_unique<PiecesOnly>(std::move(inner), wrong);
        });
    Tally tally = tally_of(pieces, experiment);
    EXPECT_EQ(tally.wrong_calls, 4U);
    ASSERT_TRUE(tally.wrong);
    EXPECT_EQ(tally.wrong->block, 0U);
    EXPECT_EQ(tally.wrong->call, 1);
    EXPECT_EQ(tally.wrong->element, wrong);
    EXPECT_EQ(tally.wrong->value, static_cast<double>(1e30F));
  }
}

}  // namespace
}  // namespace dropcheck::properties
