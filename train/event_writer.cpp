#include "train/event_writer.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>

#include "core/error.h"

namespace xgen::train {
namespace {

/// A protobuf message under construction; four field kinds are all that events need.
class Message {
 public:
  Message& number(int field, std::uint64_t value) { return tag(field, 0).varint(value); }
  Message& fixed(int field, double value) { return tag(field, 1).raw(value); }
  Message& fixed(int field, float value) { return tag(field, 5).raw(value); }
  Message& bytes(int field, std::string_view value) {
    tag(field, 2).varint(value.size());
    text_ += value;
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  Message& tag(int field, int wire) { return varint(static_cast<std::uint64_t>(field * 8 + wire)); }
  Message& varint(std::uint64_t value) {
    for (; value >= 128; value >>= 7) text_ += static_cast<char>(value % 128 + 128);
    text_ += static_cast<char>(value);
    return *this;
  }
  template <class T>
  Message& raw(T value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    return *this;
  }
  std::string text_;
};

// Field numbers of event.proto and summary.proto.
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5;
constexpr int kValue = 1, kTag = 1, kSimpleValue = 2;

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Of data that hold their own sums, a sum is unreliable; the format masks it.
std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8U;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0);
      made[i] = crc;
    }
    return made;
  }();
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes) crc = table[(crc ^ static_cast<unsigned char>(c)) & 255] ^ (crc >> 8);
  return ~crc;
}

EventWriter::EventWriter(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  // Two files of one second must not be one; TensorBoard reads them in the order of their names.
  for (int n = 0; path_.empty() || std::filesystem::exists(path_); ++n) {
    path_ = folder / str("events.out.tfevents.", static_cast<std::int64_t>(now_seconds()), ".",
                         host.data(), ".", n);
  }
  out_.open(path_, std::ios::binary);
  if (!out_) throw UserError(str(path_.string(), ": cannot be written"));
  record(Message().fixed(kWallTime, now_seconds()).bytes(kFileVersion, "brain.Event:2").text());
}

void EventWriter::scalar(const std::string& tag, double value, std::int64_t step) {
  const std::string entry =
      Message().bytes(kTag, tag).fixed(kSimpleValue, static_cast<float>(value)).text();
  record(Message()
             .fixed(kWallTime, now_seconds())
             .number(kStep, static_cast<std::uint64_t>(step))
             .bytes(kSummary, Message().bytes(kValue, entry).text())
             .text());
}

void EventWriter::record(const std::string& event) {
  const auto append = [](std::string& to, auto value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof(value));
  };
  std::string bytes;
  append(bytes, static_cast<std::uint64_t>(event.size()));
  append(bytes, masked_crc(std::string_view(bytes).substr(0, 8)));
  bytes += event;
  append(bytes, masked_crc(event));
  out_.write(bytes.data(), std::ssize(bytes));
  out_.flush();
}

}  // namespace xgen::train
