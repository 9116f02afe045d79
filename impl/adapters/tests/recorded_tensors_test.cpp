// Files of recorded tensors: what NumPy writes is read, and whatever is not
// such a file is refused with a sentence, in memory that the file pays for.
#include "dropcheck/impl/adapters/recorded_tensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "dropcheck/impl/adapters/safetensors.hpp"
#include "dropcheck/impl/subject.hpp"

namespace dropcheck::impl::adapters {
namespace {

using testing::HasSubstr;

class RecordedTensors : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& bytes) {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  /// A .npy file of version 1.
  static std::string npy(const std::string& header, const std::string& data) {
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(header.size() & 0xff);
    bytes += static_cast<char>(header.size() >> 8);
    return bytes + header + data;
  }
  static std::string npy(const std::string& descr, const std::string& order,
                         const std::string& shape, const std::string& data) {
    return npy("{'descr': '" + descr + "', 'fortran_order': " + order +
                   ", 'shape': " + shape + ", }\n",
               data);
  }
  static std::string data(std::initializer_list<float> values) {
    return {reinterpret_cast<const char*>(values.begin()),
            values.size() * sizeof(float)};
  }

  Tensor read(const std::string& bytes) {
    const std::string path = write("x.npy", bytes);
    return read_recorded({path, path}).outputs.at(0);
  }
  std::string refusal(const std::string& bytes) {
    try {
      read(bytes);
    } catch (const AdapterError& error) {
      EXPECT_THAT(error.what(), HasSubstr("x.npy: "));
      return error.what();
    }
    return "accepted";
  }

  std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(RecordedTensors, ReadsWhatNumPyWrites) {
  const Tensor tensor =
      read(npy("<f4", "False", "(2, 3)", data({1, 2, 3, 4, 5, 6})));
  EXPECT_EQ(tensor.shape(), (Shape{2, 3}));
  EXPECT_EQ(tensor.dtype(), DType::kFloat32);
  EXPECT_EQ(tensor.view().value(5), 6);
  EXPECT_EQ(read(npy("<f4", "False", "(1,)", data({7}))).view().value(0), 7);
  EXPECT_EQ(read(npy("<f2", "False", "(1,)", {"\x00\x3c", 2})).view().value(0),
            1);
}

TEST_F(RecordedTensors, ReadsScalarsAndEmptyTensors) {
  EXPECT_EQ(read(npy("<f4", "False", "()", data({7}))).shape(), Shape{});
  EXPECT_EQ(read(npy("<f4", "False", "(0, 3)", "")).shape(), (Shape{0, 3}));
}

TEST_F(RecordedTensors, ReadsFortranOrder) {
  const Tensor tensor =
      read(npy("<f4", "True", "(2, 3)", data({1, 4, 2, 5, 3, 6})));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(tensor.view().value(i), i + 1);
}

TEST_F(RecordedTensors, ReadsBigEndian) {
  const std::string two("\x40\x00\x00\x00", 4);
  EXPECT_EQ(read(npy(">f4", "False", "(1,)", two)).view().value(0), 2);
}

TEST_F(RecordedTensors, RefusesWhatIsNoArrayOfFloats) {
  EXPECT_THAT(refusal("hello"), HasSubstr("no .npy file"));
  EXPECT_THAT(refusal(""), HasSubstr("no .npy file"));
  EXPECT_THAT(refusal(npy("|O", "False", "(1,)", "cos\nsystem\n")),
              HasSubstr("Python objects"));
  EXPECT_THAT(refusal(npy("<i4", "False", "(1,)", data({1}))),
              HasSubstr("dtype is '<i4'"));
  EXPECT_THAT(refusal(npy("|V2", "False", "(1,)", "xx")), HasSubstr("'|V2'"));
  EXPECT_THAT(refusal(npy("{'descr': [('a', '<f4')], 'fortran_order': False, "
                          "'shape': (1,)}",
                          data({1}))),
              HasSubstr("dtype is ["));
  EXPECT_THAT(refusal(npy("<f4", "Maybe", "(1,)", data({1}))),
              HasSubstr("neither True nor False"));
  EXPECT_THAT(refusal(npy("<f4", "False", "[1]", data({1}))),
              HasSubstr("no tuple"));
  EXPECT_THAT(refusal(npy("<f4", "False", "(-1,)", data({1}))),
              HasSubstr("no tuple of extents"));
  EXPECT_THAT(refusal(npy("{}", data({1}))), HasSubstr("no 'descr'"));
  std::string version = npy("<f4", "False", "(1,)", data({1}));
  version[6] = 9;
  EXPECT_THAT(refusal(version), HasSubstr("version 9"));
}

TEST_F(RecordedTensors, RefusesSizesThatAreNotThere) {
  const std::string whole = npy("<f4", "False", "(2,)", data({1, 2}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(refusal(whole.substr(0, size)), "accepted") << size;
  }
  EXPECT_THAT(refusal(whole + "x"), HasSubstr("needs 8 bytes, but 9"));
  // An exabyte, and more than 64 bits.
  EXPECT_THAT(refusal(npy("<f4", "False", "(288230376151711744,)", "")),
              HasSubstr("needs 1152921504606846976 bytes, but 0"));
  EXPECT_THAT(refusal(npy("<f8", "False", "(4294967296, 4294967296, 8)", "")),
              HasSubstr("leaves 63 bits"));
  std::string header = npy("<f4", "False", "(1,)", "");
  header[8] = header[9] = '\xff';
  EXPECT_THAT(refusal(header), HasSubstr("65535 bytes is announced"));
}

TEST_F(RecordedTensors, ReadsSafetensors) {
  const Tensor one(DType::kBFloat16, {2}, {1, 2});
  const Tensor two(DType::kBFloat16, {2}, {3, 4});
  Message message;
  for (const auto& [name, tensor] :
       {std::pair{"input", &one}, {"output.0", &two}, {"output.1", &one}}) {
    message.tensors.push_back(
        {name, WireType::kBF16, {2}, {tensor->bytes(), tensor->byte_count()}});
  }
  const auto image = encode(message);
  const std::string bytes(reinterpret_cast<const char*>(image.data()),
                          image.size());
  const auto recorded = read_recorded({write("x.safetensors", bytes)});
  EXPECT_EQ(recorded.input.view().value(1), 2);
  ASSERT_EQ(recorded.outputs.size(), 2U);
  EXPECT_EQ(recorded.outputs[0].view().value(1), 4);
  EXPECT_THROW(read_recorded(
                   {write("y.safetensors", bytes.substr(0, bytes.size() - 1))}),
               AdapterError);
}

TEST_F(RecordedTensors, RefusesOtherFiles) {
  const std::string file =
      write("x.npy", npy("<f4", "False", "(1,)", data({1})));
  const auto refused = [](const std::vector<std::string>& paths) {
    try {
      read_recorded(paths);
    } catch (const AdapterError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(refused({file}), HasSubstr("name the outputs"));
  EXPECT_THAT(refused({"x.pt"}), HasSubstr("recordings are one .npz"));
  EXPECT_THAT(refused({"none.npy", file}), HasSubstr("No such file"));
  EXPECT_THAT(refused({folder_.string() + "/", file}), HasSubstr("recordings"));
}

}  // namespace
}  // namespace dropcheck::impl::adapters
