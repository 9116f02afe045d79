#include "piece_reader.hpp"

namespace dropcheck::properties {

PieceReader::PieceReader(const MaskReader& reader, impl::DType dtype)
    : exact_(reader.exact()) {
  if (!exact_) return;
  const auto count = static_cast<std::int64_t>(reader.size());
  kept_ = impl::Tensor(dtype, {count});
  const impl::TensorView view = kept_.view();
  for (std::int64_t i = 0; i < count; ++i) {
    const double base = reader.base(static_cast<std::size_t>(i));
    view.set(i, reader.model()->kept(base, dtype));
  }
  reading_.dtype = dtype;
  impl::store(reader.dropped_value(), &reading_.dropped, dtype);
  reading_.ignore_sign = reader.dropped_value() == 0;
}

std::size_t PieceReader::read(const impl::Piece& piece,
                              std::uint64_t* words) const {
  const auto first = static_cast<std::size_t>(piece.first);
  MaskReading reading = reading_;
  reading.kept = kept_.bytes() + first * impl::size_of(reading_.dtype);
  return first + read_drop_bits(reading, piece.values,
                                static_cast<std::size_t>(piece.count),
                                words + first / 64);
}

}  // namespace dropcheck::properties
