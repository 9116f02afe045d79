#include "lending.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <cstring>

#include "dropcheck/impl/subject.hpp"

namespace dropcheck::impl {
namespace {

/// The memory between a view's first and last element, gaps included.
struct Span {
  std::byte* begin = nullptr;
  std::size_t count = 0;  ///< bytes
};

Span span_of(const TensorView& view) {
  if (view.size() == 0) return {static_cast<std::byte*>(view.data), 0};
  std::int64_t low = 0;
  std::int64_t high = 0;
  for (std::size_t axis = 0; axis < view.shape.size(); ++axis) {
    const std::int64_t reach = (view.shape[axis] - 1) * view.strides[axis];
    (reach < 0 ? low : high) += reach;
  }
  const auto width = static_cast<std::int64_t>(size_of(view.dtype));
  return {static_cast<std::byte*>(view.data) + low * width,
          static_cast<std::size_t>((high - low + 1) * width)};
}

// All bits set is NaN in every dtype.
constexpr int kOverwritten = 0xFF;

void overwrite(GuardedBytes& bytes) {
  std::memset(bytes.data(), kOverwritten, bytes.size());
}

bool is_overwritten(const GuardedBytes& bytes) {
  if (bytes.size() == 0) return true;
  return bytes.data()[0] == std::byte{kOverwritten} &&
         std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

/// Whether nobody else holds it. Then what others did with it is done.
bool is_free(const std::shared_ptr<GuardedBytes>& copy) {
  if (copy.use_count() > 1) return false;
  std::atomic_thread_fence(std::memory_order_acquire);
  return true;
}

}  // namespace

TensorView Lending::lend(const TensorView& original) {
  const Span span = span_of(original);
  const std::size_t offset =
      reinterpret_cast<std::uintptr_t>(span.begin) % GuardedBytes::kAlignment;
  const auto [place, fresh] = pairs_.try_emplace({span.count, offset});
  pair_ = &place->second;
  const auto make = [&] {
    return std::make_shared<GuardedBytes>(span.count, offset);
  };
  if (fresh) pair_->copies = {make(), make()};
  original_ = span.begin;
  auto& copy = pair_->copies[pair_->turn];
  if (!is_free(copy)) copy = make();
  if (span.count > 0) std::memcpy(copy->data(), span.begin, span.count);
  TensorView view = original;
  view.data =
      copy->data() + (static_cast<std::byte*>(original.data) - span.begin);
  return view;
}

std::shared_ptr<const void> Lending::memory() const {
  return pair_->copies[pair_->turn];
}

bool Lending::to_original(TensorView& view) const {
  const GuardedBytes& copy = *pair_->copies[pair_->turn];
  const auto address = reinterpret_cast<std::uintptr_t>(view.data);
  const auto begin = reinterpret_cast<std::uintptr_t>(copy.data());
  if (address < begin || address >= begin + copy.size()) return false;
  view.data = original_ + (address - begin);
  return true;
}

bool Lending::take_back(std::string_view name) {
  GuardedBytes& copy = *pair_->copies[pair_->turn];
  GuardedBytes& before = *pair_->copies[1 - pair_->turn];
  const auto damage = copy.damage(name);
  const bool changed =
      copy.size() > 0 && std::memcmp(original_, copy.data(), copy.size()) != 0;
  if (changed) std::memcpy(original_, copy.data(), copy.size());
  if (damage) copy.restore();
  bool touched = false;
  if (!may_be_held_) {
    overwrite(copy);
    touched = pair_->used_both && !is_overwritten(before);
    if (touched || !pair_->used_both) overwrite(before);
  }
  pair_->used_both = true;
  pair_->turn = 1 - pair_->turn;
  if (damage) throw MemoryViolation("writes " + *damage);
  if (touched) {
    throw MemoryViolation(fmt::format(
        "writes to {} of an earlier call: it keeps a reference to it", name));
  }
  return changed;
}

}  // namespace dropcheck::impl
