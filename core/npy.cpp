#include "core/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/atomic_file.h"

// Format: numpy.lib.format, "NPY format", versions 1.0 to 3.0.
namespace xgen {

namespace {

static_assert(std::endian::native == std::endian::little, "elements are copied as they are");

using ir::DType;

constexpr std::array<std::pair<const char*, DType>, 7> kTypes{{{"<f4", DType::f32},
                                                               {"<f8", DType::f64},
                                                               {"<i8", DType::i64},
                                                               {"<i4", DType::i32},
                                                               {"|i1", DType::i8},
                                                               {"|u1", DType::u8},
                                                               {"|b1", DType::boolean}}};
constexpr std::string_view kMagic("\x93NUMPY", 6);

/// The text after `key` in the header, a Python dictionary such as
/// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
std::optional<std::string_view> after_key(std::string_view header, std::string_view key) {
  const std::string quoted = "'" + std::string(key) + "'";
  std::size_t at = header.find(quoted);
  if (at == std::string_view::npos) return std::nullopt;
  at = header.find(':', at + quoted.size());
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t start = header.find_first_not_of(' ', at + 1);
  if (start == std::string_view::npos) return std::nullopt;
  return header.substr(start);
}

class Reader {
 public:
  Reader(std::string file, std::string_view bytes) : file_(std::move(file)), bytes_(bytes) {}

  ir::Constant read() {
    const std::string_view header = take_header();
    ir::Constant array;
    array.dtype = read_dtype(header);
    const auto order = after_key(header, "fortran_order");
    if (!order) bad_header();
    if (order->rfind("False", 0) != 0) {
      throw UserError(str(file_,
                          ": expected C order, got Fortran order; save "
                          "numpy.ascontiguousarray(x) instead"));
    }
    array.shape = read_shape(header);
    const std::size_t expected = static_cast<std::size_t>(array.size()) * ir::size_of(array.dtype);
    if (bytes_.size() != expected) {
      throw UserError(str(file_, ": expected ", expected, " bytes of data for ",
                          name_of(array.dtype), " ", to_string(ir::to_shape(array.shape)), ", got ",
                          bytes_.size()));
    }
    array.bytes.resize(expected);
    if (expected != 0) std::memcpy(array.bytes.data(), bytes_.data(), expected);
    return array;
  }

 private:
  [[noreturn]] void bad_header() const {
    throw UserError(str(file_, ": the header of the .npy file cannot be read"));
  }

  std::string_view take(std::size_t count) {
    if (bytes_.size() < count) throw UserError(str(file_, ": the file is truncated"));
    const std::string_view part = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return part;
  }

  std::string_view take_header() {
    if (bytes_.substr(0, kMagic.size()) != kMagic)
      throw UserError(str(file_, ": expected a .npy file, got another format"));
    take(kMagic.size());
    const int version = static_cast<unsigned char>(take(2)[0]);
    if (version < 1 || version > 3)
      throw UserError(str(file_, ": expected .npy version 1 to 3, got ", version));
    std::size_t length = 0;
    int shift = 0;
    for (const char c : take(version == 1 ? 2 : 4)) {
      length |= static_cast<std::size_t>(static_cast<unsigned char>(c)) << shift;
      shift += 8;
    }
    return take(length);
  }

  DType read_dtype(std::string_view header) const {
    const auto text = after_key(header, "descr");
    if (!text || text->front() != '\'') bad_header();
    const std::string name(text->substr(1, text->find('\'', 1) - 1));
    for (const auto& [code, type] : kTypes) {
      if (name == code) return type;
    }
    throw UserError(str(file_, ": expected float32, float64, int64, int32, int8, uint8 or bool, ",
                        "got \"", name, "\""));
  }

  ir::Extents read_shape(std::string_view header) const {
    const auto text = after_key(header, "shape");
    if (!text || text->front() != '(') bad_header();
    ir::Extents shape;
    std::int64_t count = 1;
    std::int64_t number = -1;
    for (const char c : text->substr(1)) {
      constexpr std::int64_t kMost = std::int64_t{1} << 40;
      if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
        number = std::max<std::int64_t>(number, 0) * 10 + (c - '0');
        if (number > kMost) bad_header();
      } else if (c == ',' || c == ')') {
        if (number >= 0) {
          if (number > 0 && count > kMost / number) bad_header();
          count *= number;
          shape.push_back(number);
        }
        number = -1;
        if (c == ')') return shape;
      } else if (c != ' ') {
        bad_header();
      }
    }
    bad_header();
  }

  std::string file_;
  std::string_view bytes_;
};

}  // namespace

ir::Constant read_npy(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path))
    throw UserError(str(path.string(), ": no such file, or it cannot be read"));
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return Reader(path.string(), bytes).read();
}

void write_npy(const std::filesystem::path& path, const ir::Constant& array) {
  const char* descr = nullptr;
  for (const auto& [code, type] : kTypes) {
    if (type == array.dtype) descr = code;
  }
  std::string shape;
  for (const std::int64_t n : array.shape) shape += str(n, ", ");
  // (3,) and (3, 4) as Python writes them; anything that Python reads would do.
  if (array.shape.size() == 1) shape = str(array.shape[0], ",");
  if (array.shape.size() > 1) shape.resize(shape.size() - 2);
  std::string header =
      str("{'descr': '", descr, "', 'fortran_order': False, 'shape': (", shape, "), }");
  // The data start at a multiple of 64 bytes, after magic, version and length (10 bytes).
  constexpr std::size_t kPreamble = 10;
  while ((kPreamble + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';

  std::string bytes(kMagic);
  bytes += '\x01';
  bytes += '\x00';
  bytes += static_cast<char>(header.size() & 0xFF);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(array.bytes.data()), array.bytes.size());
  write_atomically(path, bytes);
}

}  // namespace xgen
