// The wire format: what one side writes the other one reads, bit for bit, and
// whatever is not a message is refused with a sentence and never read past
// its end.
#include "dropcheck/impl/adapters/protocol.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "../src/endian.hpp"

namespace dropcheck::impl::adapters {
namespace {

using testing::HasSubstr;

std::vector<std::byte> image(const std::string& header,
                             std::size_t data_size = 0) {
  std::vector<std::byte> bytes(8);
  bytes[0] = static_cast<std::byte>(header.size() & 0xff);
  bytes[1] = static_cast<std::byte>(header.size() >> 8);
  for (const char letter : header) {
    bytes.push_back(static_cast<std::byte>(letter));
  }
  bytes.resize(bytes.size() + data_size);
  return bytes;
}

std::string refusal(const std::vector<std::byte>& bytes) {
  try {
    decode(bytes);
  } catch (const AdapterError& error) {
    return error.what();
  }
  return "accepted";
}

std::string refusal(const std::string& header, std::size_t data_size = 0) {
  return refusal(image(header, data_size));
}

// PROTOCOL.md shows it byte by byte.
TEST(Safetensors, ReadsTheExampleOfThePage) {
  std::string header =
      R"({"__metadata__":{"layer":"1","op":"forward","repeat":"1",)"
      R"("training":"1"},"input":{"data_offsets":[0,8],"dtype":"F32",)"
      R"("shape":[2]}})";
  header.resize(0x88, ' ');
  auto bytes = image(header);
  for (const int byte : {0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}) {
    bytes.push_back(static_cast<std::byte>(byte));
  }
  EXPECT_EQ(bytes.size(), 0x98U);
  const Message message = decode(bytes);
  EXPECT_EQ(message.field("op"), "forward");
  EXPECT_EQ(view_of(*message.find("input")).value(0), 1);
  EXPECT_EQ(view_of(*message.find("input")).value(1), 2);
}

TEST(Safetensors, KeepsFieldsAndTensors) {
  const Tensor doubles(DType::kFloat64, {2, 2}, {1, -0.0, 1e300, 0.1});
  const Tensor halves(DType::kFloat16, {3}, {1, 2, 3});
  Message message{{{"op", "forward"}, {"message", "\"quoted\"\n\xc3\xa4"}}, {}};
  message.tensors.push_back(
      {"a", WireType::kF64, {2, 2}, {doubles.bytes(), doubles.byte_count()}});
  message.tensors.push_back(
      {"b", WireType::kF16, {3}, {halves.bytes(), halves.byte_count()}});
  const auto bytes = encode(message);
  const Message back = decode(bytes);
  EXPECT_EQ(back.fields, message.fields);
  ASSERT_EQ(back.tensors.size(), 2U);
  const TensorView a = view_of(*back.find("a"));
  EXPECT_EQ(a.shape, (Shape{2, 2}));
  EXPECT_TRUE(std::signbit(a.value(1)));
  EXPECT_EQ(a.value(3), 0.1);
  EXPECT_EQ(view_of(*back.find("b")).value(2), 3);
}

TEST(Safetensors, AlignsTheTensors) {
  for (const char* text : {"", "1", "22", "333", "4444", "55555"}) {
    const std::string head = encode_head({{{"field", text}}, {}});
    EXPECT_EQ(head.size() % 8, 0U);
  }
}

TEST(Safetensors, KeepsScalarsAndEmptyTensors) {
  const Tensor scalar(DType::kFloat32, {}, {7});
  Message message;
  message.tensors.push_back({"none", WireType::kU8, {0, 5}, {}});
  message.tensors.push_back(
      {"scalar", WireType::kF32, {}, {scalar.bytes(), 4}});
  const auto bytes = encode(message);
  const Message back = decode(bytes);
  EXPECT_EQ(view_of(*back.find("scalar")).value(0), 7);
  EXPECT_EQ(back.find("none")->shape, (Shape{0, 5}));
}

TEST(Safetensors, ReplacesTextThatIsNotUtf8) {
  const auto bytes = encode({{{"message", "\xff!"}}, {}});
  EXPECT_THAT(decode(bytes).field("message"), HasSubstr("!"));
}

TEST(Safetensors, RefusesWhatIsNoHeader) {
  EXPECT_THAT(refusal(std::vector<std::byte>(5)), HasSubstr("shorter than 8"));
  EXPECT_THAT(refusal(std::vector<std::byte>(8, std::byte{0xff})),
              HasSubstr("a header of 18446744073709551615 bytes"));
  auto truncated = image("{\"__metadata__\":{}}");
  truncated.pop_back();
  EXPECT_THAT(refusal(truncated), HasSubstr("a header of 19 bytes"));
  EXPECT_THAT(refusal("{\"a\":"), HasSubstr("malformed header"));
  EXPECT_THAT(refusal("[1, 2]"), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal("{\"__metadata__\":{\"n\":3}}"),
              HasSubstr("field 'n' is 3, but values of the message must be"));
  EXPECT_THAT(refusal("{\"__metadata__\":[1]}"),
              HasSubstr("__metadata__ is [1], but must be an object"));
  EXPECT_THAT(refusal("{\"a\":{\"dtype\":\"F32\"}}"),
              HasSubstr("malformed header"));
}

TEST(Safetensors, RefusesAHeaderOverOneMebibyte) {
  std::vector<std::byte> bytes((2U << 20) + 8, std::byte{' '});
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = std::byte{0};
  bytes[2] = std::byte{0x20};  // 2 MiB
  EXPECT_THAT(refusal(bytes), HasSubstr("at most 1048576"));
}

std::string entry(const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

TEST(Safetensors, RefusesWhatIsNoTensor) {
  const auto one = [](const std::string& text) {
    return "{\"a\":" + text + "}";
  };
  EXPECT_THAT(refusal(one(entry("I64", "[1]", "[0,8]")), 8),
              HasSubstr("dtype is 'I64'"));
  EXPECT_THAT(refusal(one(entry("F32", "[1]", "[0,4]")), 2),
              HasSubstr("the data has 2 bytes"));
  EXPECT_THAT(refusal(one(entry("F32", "[2]", "[0,4]")), 4),
              HasSubstr("needs 8 bytes, but has 4"));
  EXPECT_THAT(refusal(one(entry("F32", "[1]", "[4,0]")), 4),
              HasSubstr("offsets [4, 0)"));
  EXPECT_THAT(refusal(one(entry("F32", "[-1]", "[0,4]")), 4),
              HasSubstr("whole number"));
  EXPECT_THAT(refusal(one(entry("F32", "[1.0]", "[0,4]")), 4),
              HasSubstr("whole number"));
  EXPECT_THAT(refusal(one(entry("F32", "[1]", "[0]")), 4),
              HasSubstr("two offsets"));
  EXPECT_THAT(
      refusal(one(entry("F32", "[4294967296,4294967296,2]", "[0,4]")), 4),
      HasSubstr("63 bits"));
  EXPECT_THAT(refusal(one(entry("F64", "[2305843009213693952]", "[0,0]")), 0),
              HasSubstr("63 bits"));
  EXPECT_THAT(refusal(one(entry("F32", "[18446744073709551615]", "[0,4]")), 4),
              HasSubstr("63 bits"));
}

TEST(Safetensors, RefusesOverlapsAndHoles) {
  const auto two = [](const std::string& first, const std::string& second) {
    return "{\"a\":" + entry("F32", "[1]", first) +
           ",\"b\":" + entry("F32", "[1]", second) + "}";
  };
  EXPECT_EQ(refusal(two("[4,8]", "[0,4]"), 8), "accepted");
  EXPECT_THAT(refusal(two("[0,4]", "[2,6]"), 8), HasSubstr("overlaps"));
  EXPECT_THAT(refusal(two("[0,4]", "[0,4]"), 4), HasSubstr("overlaps"));
  EXPECT_THAT(refusal(two("[0,4]", "[8,12]"), 12), HasSubstr("hole"));
  EXPECT_THAT(refusal(two("[0,4]", "[4,8]"), 9),
              HasSubstr("after the last tensor"));
}

TEST(Frame, RefusesALengthOverTheLimit) {
  std::array<std::byte, 8> bytes{};
  bytes[7] = std::byte{0x80};
  EXPECT_THROW(frame_length(bytes), AdapterError);
  bytes = {std::byte{16}};
  EXPECT_EQ(frame_length(bytes), 16U);
  EXPECT_THROW(frame_length(bytes, 15), AdapterError);
}

TEST(Frame, SaysWhatMayBeWrongWithItsLength) {
  const auto suspicion = [](std::uint64_t length) {
    const std::string bytes = little_endian(length);
    return suspicion_of(std::as_bytes(std::span(bytes)).first<8>());
  };
  EXPECT_THAT(suspicion(152ULL << 56), HasSubstr("end it is 152: lengths are"));
  EXPECT_THAT(suspicion(0x0000'0000'e80a'6b6f), HasSubstr("'ok\\n.....'"));
  EXPECT_THAT(suspicion(0x0000'0000'0000'e80a), HasSubstr("'\\n.......'"));
  EXPECT_EQ(suspicion(0x8877'6655'4433'2201), "");
}

TEST(Frame, ShowsTextThatSomeonePrinted) {
  const std::string text = "Loading ";
  try {
    frame_length(std::as_bytes(std::span(text)).first<8>());
    FAIL() << "accepted";
  } catch (const AdapterError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'Loading '"));
  }
}

TEST(Config, SurvivesTheBorder) {
  LayerConfig config;
  config.layer = "broadcast_dropout";
  config.dtype = DType::kBFloat16;
  config.in_place = config.channels_last = true;
  config.scale_by_keep = false;
  config.shared_axes = {0, -1};
  config.samples = 8;
  for (const double p : {0.1, 1.0 / 3, 5e-324, 1.5, -2.0,
                         std::numeric_limits<double>::infinity(),
                         -std::numeric_limits<double>::infinity()}) {
    config.drop_probability = p;
    EXPECT_EQ(config_from_json(to_json(config)), config);
  }
  config.drop_probability = std::nan("");
  EXPECT_TRUE(std::isnan(config_from_json(to_json(config)).drop_probability));
}

TEST(Config, CarriesBlocksForDropBlockOnly) {
  LayerConfig config{.layer = "drop_block2d"};
  config.block = {.size = 7,
                  .whole_map = true,
                  .shared_by_channels = true,
                  .plain_gamma = true,
                  .fixed_scale = true};
  EXPECT_EQ(config_from_json(to_json(config)), config);
  config.layer = "dropout";
  EXPECT_THAT(to_json(config), ::testing::Not(HasSubstr("block")));
}

TEST(Config, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(config_from_json("{\"momentum\":1}"), AdapterError);
  EXPECT_THROW(config_from_json("{\"dtype\":\"f8\"}"), AdapterError);
  EXPECT_THROW(config_from_json("{\"drop_probability\":\"1x\"}"), AdapterError);
  EXPECT_THROW(config_from_json("{\"in_place\":\"yes\"}"), AdapterError);
  EXPECT_THROW(config_from_json("{"), AdapterError);
}

TEST(Description, SurvivesTheBorder) {
  Description description;
  description.name = "n";
  description.version = "1";
  description.dtypes = {DType::kBFloat16, DType::kFloat16};
  description.reseed = false;
  description.mask_output = true;
  description.generator = "g";
  description.clone = true;
  description.recipe = recipe_called("torch.bernoulli");
  description.options = {{"dropped_zero", "signed"},
                         {"rank_is_checked", "false"}};
  Message message;
  describe_to(description, message);
  const Message received = decode(encode(message));
  const Description back = description_from(received);
  EXPECT_EQ(back.dtypes, description.dtypes);
  EXPECT_FALSE(back.reseed);
  EXPECT_TRUE(back.own_state);
  EXPECT_TRUE(back.mask_output);
  EXPECT_EQ(back.generator, "g");
  EXPECT_TRUE(back.clone);
  EXPECT_EQ(back.recipe, description.recipe);
  EXPECT_EQ(back.options, description.options);
}

TEST(Description, OfAnOlderWorkerDeclaresNothing) {
  const Description back = description_from({{{"name", "n"}}, {}});
  EXPECT_FALSE(back.clone);
  EXPECT_TRUE(back.options.empty());
  EXPECT_EQ(back.recipe, std::nullopt);
}

TEST(Recipe, IsANameOrAnObjectOfParts) {
  EXPECT_EQ(recipe_from_text("numpy.random"), recipe_called("numpy.random"));
  MaskRecipe coarse = recipe_called("numpy.random");
  coarse.bits = 24;
  EXPECT_EQ(recipe_from_text(R"({"like": "numpy.random", "bits": 24})"),
            coarse);
  for (const char* text :
       {"", "numpy", "{", "{}", R"({"generator": "pcg64", "bits": 65})",
        R"({"generator": "pcg64", "bits": 2.5})",
        R"({"like": "numpy.random", "word": 1})"}) {
    EXPECT_THROW(recipe_from_text(text), AdapterError) << text;
  }
}

TEST(Options, CrossAsJson) {
  EXPECT_EQ(to_json(DeclaredOptions{}), "{}");
  EXPECT_EQ(
      to_json(DeclaredOptions{{"at_one", "error"}, {"dtype_is_kept", "false"}}),
      "{\"at_one\":\"error\",\"dtype_is_kept\":false}");
  const DeclaredOptions both =
      options_from_json("{\"at_one\":\"either\",\"rank_is_checked\":true}");
  EXPECT_EQ(both, (DeclaredOptions{{"at_one", "either"},
                                   {"rank_is_checked", "true"}}));
}

std::string refused_options(const std::string& text) {
  try {
    options_from_json(text);
  } catch (const AdapterError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Options, AreRefusedUnderNamesAndValuesThatThereAreNot) {
  EXPECT_THAT(refused_options("{\"at_two\":\"zeros\"}"),
              HasSubstr("unknown option 'at_two'"));
  EXPECT_THAT(refused_options("{\"at_one\":\"zero\"}"),
              HasSubstr("option at_one is 'zero', but must be one of zeros"));
  EXPECT_THAT(refused_options("{\"at_one\":true}"),
              HasSubstr("option at_one is 'true'"));
  EXPECT_THAT(refused_options("{\"dtype_is_kept\":\"false\"}"),
              HasSubstr("dtype_is_kept"));
  EXPECT_THAT(refused_options("[]"), HasSubstr("must be a JSON object"));
  EXPECT_THAT(refused_options("{"), HasSubstr("malformed options"));
}

TEST(Strides, SpanWhatTheyTouch) {
  EXPECT_EQ(element_span({2, 3}, {3, 1}), 6);
  EXPECT_EQ(element_span({2, 3}, {1, 4}), 10);
  EXPECT_EQ(element_span({5}, {0}), 1);
  EXPECT_EQ(element_span({0, 3}, {3, 1}), 0);
  EXPECT_EQ(element_span({}, {}), 1);
  EXPECT_THROW(element_span({2}, {-1}), AdapterError);
  EXPECT_THROW(element_span({2}, {std::int64_t{1} << 62}), AdapterError);
  EXPECT_THROW(element_span({2}, {1, 1}), AdapterError);
  EXPECT_EQ(strides_from_text(strides_to_text({1, 20, 3})), (Shape{1, 20, 3}));
  EXPECT_EQ(strides_from_text(""), Shape{});
  EXPECT_THROW(strides_from_text("1,x"), AdapterError);
}

}  // namespace
}  // namespace dropcheck::impl::adapters
