#include "worker_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "idle_workers.hpp"

namespace dropcheck::impl::adapters {

WorkerSession::WorkerSession(const WorkerOptions& options) : options_(options) {
  if (!options.reuse || !take_over()) start();
}

// A subject whose layers carry state that no reseed sets would be judged by
// what came before it. A process that made no layer has none of that.
WorkerSession::~WorkerSession() {
  if (!options_.reuse || !trusted_) return;
  const bool fresh = channel_->latest_id == 0;
  const bool carries = !description_.reseed || !description_.own_state;
  if (carries && !fresh) return;
  try {
    IdleWorkers::instance().keep(options_, std::move(channel_));
  } catch (...) {
    // Then the process ends here.
  }
}

// A process that waited may fail for reasons of its former life; a fresh one
// has to fail itself before that counts.
bool WorkerSession::take_over() {
  while ((channel_ = IdleWorkers::instance().take(options_))) {
    try {
      describe();
      return true;
    } catch (const AdapterError&) {
      channel_.reset();
    }
  }
  return false;
}

// A worker that ends before it described itself is not a layer that crashed:
// the program is wrong, or its libraries are missing.
void WorkerSession::start() {
  channel_ = std::make_unique<WorkerChannel>(options_);
  describe();
}

Frame WorkerSession::ask_for_description() {
  try {
    return channel_->process.exchange(
        {{{"op", "describe"}, {"subject", options_.subject}}, {}},
        options_.start_timeout);
  } catch (const SubjectCrashed& error) {
    throw AdapterError(error.what());
  } catch (const SubjectTimeout& error) {
    throw AdapterError(error.what());
  }
}

void WorkerSession::describe() {
  const Frame frame = ask_for_description();
  if (!frame.message.fields.contains("protocol")) {
    throw AdapterError(fmt::format(
        "the worker's description has no field 'protocol', which must be {}",
        kProtocolVersion));
  }
  const std::string version = frame.message.field("protocol");
  if (version != kProtocolVersion) {
    throw AdapterError(fmt::format(
        "the worker speaks version '{}' of the protocol, but must speak {}",
        version, kProtocolVersion));
  }
  description_ = description_from(frame.message);
  promise_ = promise_from(frame.message);
  constexpr std::int64_t kMostInputs = 8;
  inputs_.resize(static_cast<std::size_t>(
      std::min(frame.message.number("inputs", 0), kMostInputs)));
}

void WorkerSession::destroy(const std::string& id) {
  if (!alive()) return;
  try {
    exchange({{{"op", "destroy"}, {"layer", id}}, {}});
  } catch (const SubjectCrashed&) {
    failure_ = std::current_exception();
  } catch (const SubjectTimeout&) {
    failure_ = std::current_exception();
  } catch (const std::exception& error) {
    failure_ = std::make_exception_ptr(AdapterError(
        fmt::format("a layer cannot be destroyed: {}", error.what())));
  }
  if (failure_) distrust();
}

void WorkerSession::attach_input(const CompactBytes& input,
                                 std::uint64_t number, Message& request) {
  // Workers that take compact tensors only need not know of offsets.
  if (input.offset() > 0 && description_.strides != Strides::kCompact) {
    request.fields["input.offset"] = std::to_string(input.offset());
  }
  if (inputs_.empty()) return attach("input", input, request);
  std::optional<std::size_t> slot = slot_of(input, number);
  if (!slot) {
    slot = oldest_slot();
    const WireTensor wire = input.wire("input");
    Tensor values(dtype_of(wire.type), wire.shape);
    std::copy(wire.data.begin(), wire.data.end(), values.bytes());
    inputs_[*slot] = {std::move(values), input.strides(), input.offset()};
    attach("input", input, request);
  }
  inputs_[*slot].latest_use = ++uses_;
  inputs_[*slot].number = number;
  request.fields["input.slot"] = std::to_string(*slot);
}

std::optional<std::size_t> WorkerSession::slot_of(const CompactBytes& input,
                                                  std::uint64_t number) const {
  const WireTensor wire = input.wire("input");
  for (std::size_t slot = 0; slot < inputs_.size(); ++slot) {
    const KnownInput& known = inputs_[slot];
    if (known.latest_use > 0 && wire_type(known.values.dtype()) == wire.type &&
        known.values.shape() == wire.shape &&
        known.strides == input.strides() && known.offset == input.offset() &&
        ((number != 0 && number == known.number) ||
         std::memcmp(wire.data.data(), known.values.bytes(),
                     wire.data.size()) == 0)) {
      return slot;
    }
  }
  return std::nullopt;
}

std::size_t WorkerSession::oldest_slot() const {
  const auto oldest =
      std::min_element(inputs_.begin(), inputs_.end(),
                       [](const KnownInput& a, const KnownInput& b) {
                         return a.latest_use < b.latest_use;
                       });
  return static_cast<std::size_t>(oldest - inputs_.begin());
}

SharedArena::Region WorkerSession::acquire(std::size_t bytes) {
  const SharedArena::Region region = channel_->arena.acquire(bytes);
  if (region.room == 0 || channel_->arena.size() == channel_->announced)
    return region;
  try {
    exchange({{{"op", "shm"},
               {"path", channel_->arena.path()},
               {"size", std::to_string(channel_->arena.size())}},
              {}});
    channel_->announced = channel_->arena.size();
    return region;
  } catch (const NotSupported&) {
    channel_->arena.release(region);
    channel_->arena.disable();
    return {};
  }
}

}  // namespace dropcheck::impl::adapters
