#include "core/tensor_file.h"

#include <bit>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "core/atomic_file.h"
#include "core/sha256.h"

namespace xgen {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

const std::string kNoHash(64, '0');
constexpr std::size_t kLengthBytes = 8;
/// Other readers refuse longer headers; a foreign file's first bytes rarely make a smaller number.
constexpr std::uint64_t kMaxHeader = 100'000'000;

constexpr std::pair<ir::DType, std::string_view> kTypes[] = {
    {ir::DType::f32, "F32"},     {ir::DType::f64, "F64"}, {ir::DType::i64, "I64"},
    {ir::DType::i32, "I32"},     {ir::DType::i8, "I8"},   {ir::DType::u8, "U8"},
    {ir::DType::boolean, "BOOL"}};

std::string_view type_name(ir::DType type) {
  for (const auto& [dtype, name] : kTypes) {
    if (dtype == type) return name;
  }
  XGEN_CHECK(false, "dtype ", ir::name_of(type));
  return {};
}

/// Where the digits of the hash are in the header, or npos. Keys are sorted and "__metadata__"
/// holds only text, so that the first match is ours.
std::size_t hash_position(std::string_view header) {
  constexpr std::string_view kKey = "\"sha256\":\"";
  const std::size_t at = header.find(kKey);
  if (at == std::string_view::npos || at + kKey.size() + kNoHash.size() > header.size()) {
    return std::string_view::npos;
  }
  return at + kKey.size();
}

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& why) {
  throw UserError(str(path.string(), ": ", why));
}

ir::ConstantPtr read_tensor(const std::filesystem::path& path, const std::string& name,
                            const nlohmann::json& entry, std::string_view data) {
  ir::Constant tensor;
  const std::string& type = entry.at("dtype").get_ref<const std::string&>();
  bool known = false;
  for (const auto& [dtype, text] : kTypes) {
    if (text != type) continue;
    tensor.dtype = dtype;
    known = true;
  }
  if (!known) refuse(path, str("tensor \"", name, "\" has the unsupported type ", type));
  tensor.shape = entry.at("shape").get<ir::Extents>();
  const auto offsets = entry.at("data_offsets").get<std::pair<std::uint64_t, std::uint64_t>>();
  std::uint64_t expected = ir::size_of(tensor.dtype);
  for (const std::int64_t n : tensor.shape) {
    if (n < 0 || (n > 0 && expected > data.size() / static_cast<std::uint64_t>(n))) {
      refuse(path, str("tensor \"", name, "\" does not fit the file; it is truncated or damaged"));
    }
    expected *= static_cast<std::uint64_t>(n);
  }
  if (offsets.first > offsets.second || offsets.second > data.size() ||
      offsets.second - offsets.first != expected) {
    refuse(path, str("tensor \"", name, "\" does not fit the file; it is truncated or damaged"));
  }
  const auto bytes = std::as_bytes(std::span(data)).subspan(offsets.first, expected);
  tensor.bytes.assign(bytes.begin(), bytes.end());
  return std::make_shared<const ir::Constant>(std::move(tensor));
}

}  // namespace

void write_tensor_file(const std::filesystem::path& path, const TensorFile& file) {
  nlohmann::json header;  // its objects are sorted by key, "__metadata__" need not come first
  header["__metadata__"] = file.metadata;
  header["__metadata__"]["sha256"] = kNoHash;
  // Tells our files from others', of which no sum is expected, even where the sum's key is damaged.
  header["__metadata__"]["writer"] = "xgen";
  std::uint64_t end = 0;
  for (const auto& [name, tensor] : file.tensors) {
    const std::uint64_t begin = std::exchange(end, end + tensor->bytes.size());
    header[name] = {{"dtype", type_name(tensor->dtype)},
                    {"shape", tensor->shape},
                    {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // aligns the data for readers that map the file
  // `header` is sorted, so a tensor called e.g. "A" would come before the metadata; its entry has
  // no key "sha256" and cannot be mistaken.
  const std::size_t hash_at = hash_position(text);
  XGEN_CHECK(hash_at != std::string::npos && text.compare(hash_at, 64, kNoHash) == 0, text);

  std::string bytes(kLengthBytes, '\0');
  const std::uint64_t length = text.size();
  std::memcpy(bytes.data(), &length, kLengthBytes);
  bytes.reserve(kLengthBytes + text.size() + end);
  bytes += text;
  for (const auto& [name, tensor] : file.tensors) {
    bytes.append(reinterpret_cast<const char*>(tensor->bytes.data()), tensor->bytes.size());
  }
  bytes.replace(kLengthBytes + hash_at, kNoHash.size(), sha256_hex(bytes));
  write_atomically(path, bytes);
}

TensorFile read_tensor_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) refuse(path, "cannot be opened; does it exist and may it be read?");
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::uint64_t length = 0;
  if (bytes.size() < kLengthBytes) {
    refuse(path, str("expected a safetensors file, found only ", bytes.size(), " bytes"));
  }
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > kMaxHeader || length < 2 ||
      (bytes.size() > kLengthBytes && bytes[kLengthBytes] != '{')) {
    refuse(path, "expected a safetensors file, found another format");
  }
  if (length > bytes.size() - kLengthBytes) {
    refuse(path, str("is truncated: its header has ", length, " bytes, the file ", bytes.size()));
  }
  const std::string_view text = std::string_view(bytes).substr(kLengthBytes, length);
  const std::size_t hash_at = hash_position(text);
  const nlohmann::json header = nlohmann::json::parse(text, nullptr, false);
  if (header.is_discarded() || !header.is_object()) {
    refuse(path, "is damaged: its header is not JSON");
  }
  const std::string_view data = std::string_view(bytes).substr(kLengthBytes + length);
  TensorFile file;
  try {
    std::uint64_t expected = 0;
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") {
        file.metadata = entry.get<std::map<std::string, std::string>>();
      } else {
        expected = std::max(expected, entry.at("data_offsets").at(1).get<std::uint64_t>());
      }
    }
    if (expected > data.size()) {
      refuse(path, str("is truncated: expected ", expected, " bytes of data, found ", data.size()));
    }
    for (const auto& [name, entry] : header.items()) {
      if (name != "__metadata__") file.tensors[name] = read_tensor(path, name, entry, data);
    }
  } catch (const nlohmann::json::exception& error) {
    refuse(path, str("is damaged: ", error.what()));
  }
  const bool ours = file.metadata.count("writer") != 0 && file.metadata["writer"] == "xgen";
  const std::string stored = file.metadata["sha256"];
  if (ours || (stored.size() == kNoHash.size() && hash_at != std::string::npos)) {
    if (hash_at != std::string::npos) {
      bytes.replace(kLengthBytes + hash_at, kNoHash.size(), kNoHash);
    }
    if (stored != sha256_hex(bytes)) {
      refuse(path, "is damaged: its contents do not have the SHA-256 that it states");
    }
  }
  file.metadata.erase("writer");
  file.metadata.erase("sha256");
  return file;
}

}  // namespace xgen
