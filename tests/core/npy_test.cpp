#include "core/npy.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace xgen {
namespace {

class Npy : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() /
        ("xgen_npy_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::create_directories(folder_);
    path_ = folder_ / "x.npy";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  static std::string file(const std::string& header, const std::string& data) {
    std::string bytes = "\x93NUMPY";
    bytes += '\x01';
    bytes += '\0';
    bytes += static_cast<char>(header.size());
    bytes += '\0';
    return bytes + header + data;
  }
  std::string message() {
    try {
      read_npy(path_);
    } catch (const UserError& e) {
      const std::string text = e.what();
      return text.substr(path_.string().size());
    }
    return "no error";
  }

  std::filesystem::path folder_, path_;
};

template <class T>
void expect_round_trip(const std::filesystem::path& path, const ir::Extents& shape,
                       const std::vector<T>& values) {
  write_npy(path, ir::Constant::of<T>(shape, values));
  const ir::Constant back = read_npy(path);
  EXPECT_EQ(back.shape, shape);
  EXPECT_EQ(std::vector<T>(back.as<T>().begin(), back.as<T>().end()), values);
}

TEST_F(Npy, ReadsBackWhatItWrote) {
  expect_round_trip<float>(path_, {2, 3}, {1, 2, 3, -4, 5.5F, 6});
  expect_round_trip<std::int64_t>(path_, {3}, {1, -2, INT64_MAX});
  expect_round_trip<std::uint8_t>(path_, {1, 2, 1}, {0, 255});
  expect_round_trip<std::int8_t>(path_, {}, {-7});
  expect_round_trip<float>(path_, {0, 4}, {});
}

TEST_F(Npy, ReadsWhatNumpyWrites) {
  write(file("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }     \n",
             std::string("\x01\0\0\0\xff\xff\xff\xff", 8)));
  const ir::Constant array = read_npy(path_);
  EXPECT_EQ(array.shape, (ir::Extents{2}));
  EXPECT_EQ(array.as_integers(), (std::vector<std::int64_t>{1, -1}));
}

TEST_F(Npy, SaysWhatIsWrong) {
  EXPECT_EQ(message(), ": no such file, or it cannot be read");
  write("PK\x03\x04 something");
  EXPECT_EQ(message(), ": expected a .npy file, got another format");
  write(std::string("\x93NUMPY\x01", 7));
  EXPECT_EQ(message(), ": the file is truncated");
  write(file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n", "1234"));
  EXPECT_EQ(message(), ": expected 16 bytes of data for f32 [2, 2], got 4");
  write(file("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }\n", "1234"));
  EXPECT_EQ(message(),
            ": expected C order, got Fortran order; save numpy.ascontiguousarray(x) instead");
  write(file("{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }\n", "1234"));
  EXPECT_EQ(message(),
            ": expected float32, float64, int64, int32, int8, uint8 or bool, got \"<f2\"");
  write(file("nonsense\n", ""));
  EXPECT_EQ(message(), ": the header of the .npy file cannot be read");
}

}  // namespace
}  // namespace xgen
