#include "core/tensor_file.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace xgen {
namespace {

using ::testing::HasSubstr;

class TensorFileTest : public ::testing::Test {
 protected:
  TensorFileTest() { std::filesystem::create_directories(folder_); }
  ~TensorFileTest() override { std::filesystem::remove_all(folder_); }

  std::string bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void put(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary).write(bytes.data(), std::ssize(bytes));
  }
  std::string message() const {
    try {
      read_tensor_file(path_);
    } catch (const UserError& error) {
      return std::string(error.what()).substr(path_.string().size());
    }
    return "read";
  }
  static TensorFile example() {
    TensorFile file;
    file.tensors["A"] =
        std::make_shared<ir::Constant>(ir::Constant::of<float>({2, 2}, {1, 2, 3, -0.5F}));
    file.tensors["z.count"] = std::make_shared<ir::Constant>(ir::Constant::scalar<std::int64_t>(9));
    file.tensors["empty"] = std::make_shared<ir::Constant>(ir::Constant::of<float>({0, 3}, {}));
    file.metadata = {{"epoch", "3"}, {"quote", "\"sha256\":\""}};
    return file;
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / str("xgen_tensor_file_", getpid());
  std::filesystem::path path_ = folder_ / "file.safetensors";
};

TEST_F(TensorFileTest, ReadsBackWhatItWrote) {
  write_tensor_file(path_, example());
  const TensorFile file = read_tensor_file(path_);
  EXPECT_EQ(file.metadata, example().metadata);
  ASSERT_EQ(file.tensors.size(), 3U);
  EXPECT_THAT(file.tensors.at("A")->as<float>(), ::testing::ElementsAre(1, 2, 3, -0.5F));
  EXPECT_EQ(file.tensors.at("A")->shape, (ir::Extents{2, 2}));
  EXPECT_EQ(file.tensors.at("z.count")->as<std::int64_t>()[0], 9);
  EXPECT_EQ(file.tensors.at("empty")->shape, (ir::Extents{0, 3}));
}

TEST_F(TensorFileTest, IsTheFormatOfSafetensors) {
  write_tensor_file(path_, example());
  const std::string all = bytes();
  std::uint64_t length = 0;
  std::memcpy(&length, all.data(), 8);
  EXPECT_EQ(length % 8, 0U);
  const auto header = nlohmann::json::parse(all.substr(8, length));
  EXPECT_EQ(header["A"].dump(), R"({"data_offsets":[0,16],"dtype":"F32","shape":[2,2]})");
  EXPECT_EQ(header["z.count"]["dtype"], "I64");
  EXPECT_EQ(all.size(), 8 + length + 24);
}

TEST_F(TensorFileTest, ReadsAFileWithoutASum) {
  const std::string header = R"({"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})";
  std::string all(8, '\0');
  all[0] = static_cast<char>(header.size());
  put(all + header + "ab");
  EXPECT_EQ(read_tensor_file(path_).tensors.at("w")->as<std::uint8_t>()[1], 'b');
}

TEST_F(TensorFileTest, NoticesEveryChangedByte) {
  write_tensor_file(path_, example());
  const std::string good = bytes();
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    put(bad);
    EXPECT_THROW(read_tensor_file(path_), UserError) << "byte " << at;
  }
}

TEST_F(TensorFileTest, SaysWhatIsWrong) {
  EXPECT_EQ(message(), ": cannot be opened; does it exist and may it be read?");
  put("");
  EXPECT_EQ(message(), ": expected a safetensors file, found only 0 bytes");
  put("\x89PNG\r\n\x1a\n some picture");
  EXPECT_EQ(message(), ": expected a safetensors file, found another format");

  write_tensor_file(path_, example());
  const std::string good = bytes();
  put(good.substr(0, good.size() - 1));
  EXPECT_EQ(message(), ": is truncated: expected 24 bytes of data, found 23");
  put(good.substr(0, 20));
  EXPECT_THAT(message(), HasSubstr(": is truncated: its header has "));
  std::string bad = good;
  bad.back() = 'x';
  put(bad);
  EXPECT_EQ(message(), ": is damaged: its contents do not have the SHA-256 that it states");
}

TEST_F(TensorFileTest, RefusesTensorsThatDoNotFitTheirBytes) {
  for (const char* shape : {"[3]", "[-2]", "[4611686018427387904,4]"}) {
    const std::string header =
        str(R"({"w":{"dtype":"F32","shape":)", shape, R"(,"data_offsets":[0,8]}})");
    std::string all(8, '\0');
    all[0] = static_cast<char>(header.size());
    put(all + header + "12345678");
    EXPECT_EQ(message(), ": tensor \"w\" does not fit the file; it is truncated or damaged")
        << shape;
  }
}

}  // namespace
}  // namespace xgen
