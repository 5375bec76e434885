#include "train/data/readers.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <png.h>
#include <zlib.h>

#include "tests/support/jpeg.h"
#include "tests/support/message.h"
#include "tests/support/temporary_folder.h"

namespace xgen::train {
namespace {

using test::contents;
using test::jpeg;
using test::message_of;
using test::TemporaryFolder;

using ::testing::ElementsAre;
using ::testing::StartsWith;

std::string gzip(const std::string& bytes) {
  const TemporaryFolder folder;
  const std::string path = folder / "packed.gz";
  const gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  return contents(path);
}

std::string idx(const std::vector<int>& extents, const std::string& data) {
  std::string bytes{'\0', '\0', '\x08', static_cast<char>(extents.size())};
  for (const int extent : extents) bytes += std::string{0, 0, 0, static_cast<char>(extent)};
  return bytes + data;
}

/// A picture of one colour.
std::string png(int width, int height, std::uint8_t r, std::uint8_t g, std::uint8_t b) {
  std::string rows;
  for (int i = 0; i < width * height; ++i) {
    for (const std::uint8_t byte : {r, g, b}) rows += static_cast<char>(byte);
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  png_image_write_to_memory(&image, nullptr, &size, 0, rows.data(), 0, nullptr);
  std::string bytes(size, '\0');
  png_image_write_to_memory(&image, bytes.data(), &size, 0, rows.data(), 0, nullptr);
  return bytes;
}

TEST(ReadIdx, ReadsPlainAndCompressedFiles) {
  const TemporaryFolder folder;
  folder.put("train-images-idx3-ubyte", idx({2, 1, 3}, "abcdef"));
  folder.put("train-labels-idx1-ubyte.gz", gzip(idx({2}, std::string("\x03\x00", 2))));
  const ImageSet set = read_idx(folder.path(), "train", 0);
  EXPECT_EQ(set.channels, 1);
  EXPECT_EQ(set.height, 1);
  EXPECT_EQ(set.width, 3);
  EXPECT_THAT(set.pixels, ElementsAre('a', 'b', 'c', 'd', 'e', 'f'));
  EXPECT_THAT(set.labels, ElementsAre(3, 0));
  EXPECT_THAT(set.class_names, ElementsAre("0", "1", "2", "3"));
}

TEST(ReadIdx, SaysWhatIsWrongWithTheFiles) {
  const TemporaryFolder folder;
  const auto message = [&](std::int64_t classes = 0) {
    return message_of([&] { read_idx(folder.path(), "train", classes); }, folder.path());
  };
  EXPECT_EQ(message(), "F: found neither train-images-idx3-ubyte nor train-images-idx3-ubyte.gz");
  folder.put("train-images-idx3-ubyte", "GIF89a");
  EXPECT_EQ(message(),
            "F/train-images-idx3-ubyte: expected an idx file of bytes with 3 dimensions, found "
            "another format");
  folder.put("train-images-idx3-ubyte", idx({2, 1, 3}, "abcde"));
  EXPECT_EQ(message(),
            "F/train-images-idx3-ubyte: is truncated: expected 6 bytes after the header, found 5");
  folder.put("train-images-idx3-ubyte", idx({2, 1, 3}, "abcdef"));
  folder.put("train-labels-idx1-ubyte", idx({3}, "\1\2\3"));
  EXPECT_EQ(message(), "F/train-labels-idx1-ubyte: expected 2 labels, one for each image, found 3");
  folder.put("train-labels-idx1-ubyte", idx({2}, "\1\3"));
  EXPECT_EQ(message(3),
            "F/train-labels-idx1-ubyte: label 3 of sample 1 is out of range; the data have 3 "
            "classes");
  std::filesystem::remove(folder / "train-labels-idx1-ubyte");
  const std::string packed = gzip(idx({2}, "\1\2"));
  folder.put("train-labels-idx1-ubyte.gz", packed.substr(0, packed.size() - 9));
  EXPECT_EQ(message(),
            "F/train-labels-idx1-ubyte.gz: the compressed data are truncated or damaged");
}

TEST(ReadCifar, ReadsRecordsAndNamesWhatIsWrong) {
  const TemporaryFolder folder;
  std::string record(3073, '\x05');
  record[0] = '\x09';
  const auto path = folder.put("a.bin", record + record);
  const ImageSet set = read_cifar10_binary({path, path});
  EXPECT_THAT(set.labels, ElementsAre(9, 9, 9, 9));
  EXPECT_EQ(set.pixels.size(), 4U * 3072);
  EXPECT_EQ(set.pixels[0], 5);
  const auto message = [&] {
    return message_of([&] { read_cifar10_binary({path}); }, folder.path());
  };
  folder.put("a.bin", record + "x");
  EXPECT_EQ(message(),
            "F/a.bin: expected records of 3073 bytes, found 3074 bytes; it is truncated or of "
            "another format");
  record[0] = '\x0A';
  folder.put("a.bin", record);
  EXPECT_EQ(message(), "F/a.bin: label 10 of sample 0 is out of range; CIFAR-10 has 10 classes");
  std::filesystem::remove(path);
  EXPECT_EQ(message(), "F/a.bin: cannot be opened: No such file or directory");
}

TEST(ReadCsv, ReadsPixelsAndLabelsInEitherOrder) {
  const TemporaryFolder folder;
  CsvOptions options;
  options.height = 1;
  options.width = 2;
  const ImageSet last =
      read_csv(folder.put("last.csv", "p0,p1,label\r\n1,2,0\r\n\n3.0, 255,2\n"), options);
  EXPECT_THAT(last.pixels, ElementsAre(1, 2, 3, 255));
  EXPECT_THAT(last.labels, ElementsAre(0, 2));
  EXPECT_EQ(last.class_names.size(), 3U);
  options.label_first = true;
  EXPECT_THAT(read_csv(folder.put("first.csv", gzip("4,1,2\n")), options).labels, ElementsAre(4));
}

TEST(ReadCsv, NamesTheLine) {
  const TemporaryFolder folder;
  CsvOptions options;
  options.height = 1;
  options.width = 2;
  options.classes = 10;
  const auto message = [&](const std::string& text) {
    const auto path = folder.put("d.csv", text);
    return message_of([&] { read_csv(path, options); }, path);
  };
  EXPECT_EQ(message("1,2,3\n1,2\n"),
            "F:2: expected 3 columns (1 x 1 x 2 pixels and a label), found 2");
  EXPECT_EQ(message("1,x,3\n"), "F:1: expected an integer in column 2, got \"x\"");
  EXPECT_EQ(message("1,2.5,3\n"), "F:1: expected an integer in column 2");
  EXPECT_EQ(message("1,256,3\n"), "F:1: expected pixels in 0..255, got 256");
  EXPECT_EQ(message("1,2,10\n"), "F:1: label 10 is out of range; the data have 10 classes");
  EXPECT_EQ(message("1,2,-1\n"), "F:1: label -1 is out of range; the data have 10 classes");
  EXPECT_EQ(message(""), "F: holds no samples");
}

TEST(ReadImageFolder, NumbersClassesByNameAndDecodesJpegAndPng) {
  const TemporaryFolder folder;
  folder.put("cat/b.png", png(2, 1, 10, 20, 30));
  folder.put("cat/a.JPG", jpeg(2, 1, 128));
  folder.put("ant/x.png", png(2, 1, 1, 2, 3));
  folder.put("cat/notes.txt", "not an image");
  folder.put("cat/.hidden.png", "not an image");
  const ImageSet set = read_image_folder(folder.path(), {});
  EXPECT_THAT(set.class_names, ElementsAre("ant", "cat"));
  EXPECT_THAT(set.labels, ElementsAre(0, 1, 1));
  EXPECT_THAT(set.pixels,
              ElementsAre(1, 1, 2, 2, 3, 3, 128, 128, 128, 128, 128, 128, 10, 10, 20, 20, 30, 30));
  EXPECT_THAT(set.decoder, ::testing::AllOf(StartsWith("libjpeg"), ::testing::HasSubstr("libpng")));
  ImageOptions grey;
  grey.channels = 1;
  EXPECT_EQ(read_image_folder(folder.path(), grey).pixels.size(), 6U);
}

TEST(ReadImageFolder, StopsAtABrokenImageOrLeavesItOut) {
  const TemporaryFolder folder;
  const std::string good = jpeg(16, 16, 100);
  folder.put("cat/1.jpg", good);
  folder.put("cat/2.jpg", good.substr(0, good.size() - 3));
  EXPECT_EQ(message_of([&] { read_image_folder(folder.path(), {}); }, folder.path()),
            "F/cat/2.jpg: the image is broken: Premature end of JPEG file; \"on_broken_image\": "
            "\"skip\" leaves it out");
  std::vector<std::string> skipped;
  ImageOptions options;
  options.skip_broken = true;
  options.skipped = &skipped;
  EXPECT_EQ(read_image_folder(folder.path(), options).labels.size(), 1U);
  ASSERT_EQ(skipped.size(), 1U);
  EXPECT_THAT(skipped[0],
              ::testing::EndsWith("2.jpg: the image is broken: Premature end of JPEG file"));
  const std::string picture = png(8, 8, 1, 2, 3);
  folder.put("cat/2.jpg", picture.substr(0, 50));
  folder.put("cat/3.jpg", "\xFF\xD8 but nothing more");
  folder.put("cat/4.png", "text");
  skipped.clear();
  EXPECT_EQ(read_image_folder(folder.path(), options).labels.size(), 1U);
  EXPECT_EQ(skipped.size(), 3U);
}

TEST(ReadImageFolder, SaysWhatIsWrongWithTheFolder) {
  const TemporaryFolder folder;
  const auto message = [&] {
    return message_of([&] { read_image_folder(folder / "set", {}); }, folder.path());
  };
  EXPECT_EQ(message(), "F/set: expected a folder of images, found none");
  std::filesystem::create_directories(folder / "set");
  EXPECT_EQ(message(), "F/set: expected folders of images, one for each class, found none");
  folder.put("set/cat/1.png", png(2, 1, 1, 2, 3));
  std::filesystem::create_directories(folder / "set/dog");
  EXPECT_EQ(message(), "F/set/dog: the class has no JPEG or PNG files");
  folder.put("set/dog/1.png", png(1, 2, 1, 2, 3));
  EXPECT_EQ(message(),
            "F/set/dog/1.png: expected 1 x 2 pixels (height x width) like F/set/cat/1.png, found "
            "2 x 1");
}

class TarTest : public ::testing::Test {
 protected:
  void add(const std::string& name, const std::string& bytes) {
    entries_.emplace_back(name, bytes);
  }
  std::filesystem::path write() const {
    const std::filesystem::path path = folder_ / "images.tar.gz";
    archive* tar = archive_write_new();
    archive_write_add_filter_gzip(tar);
    archive_write_set_format_pax_restricted(tar);
    archive_write_open_filename(tar, path.c_str());
    for (const auto& [name, bytes] : entries_) {
      archive_entry* entry = archive_entry_new();
      archive_entry_set_pathname(entry, name.c_str());
      archive_entry_set_filetype(entry, name.back() == '/' ? AE_IFDIR : AE_IFREG);
      archive_entry_set_size(entry, std::ssize(bytes));
      archive_write_header(tar, entry);
      archive_write_data(tar, bytes.data(), bytes.size());
      archive_entry_free(entry);
    }
    archive_write_free(tar);
    return path;
  }
  TemporaryFolder folder_;
  std::vector<std::pair<std::string, std::string>> entries_;
};

TEST_F(TarTest, ReadsTheSameAsTheFolderWhateverTheOrder) {
  add("./train/dog/2.png", png(1, 1, 2, 2, 2));
  add("./train/cat/9.png", png(1, 1, 9, 9, 9));
  add("./train/dog/1.png", png(1, 1, 1, 1, 1));
  add("./test/cat/5.png", png(1, 1, 5, 5, 5));
  const auto path = write();
  const ImageSet train = read_image_tar(path, "train", {});
  EXPECT_THAT(train.class_names, ElementsAre("cat", "dog"));
  EXPECT_THAT(train.labels, ElementsAre(0, 1, 1));
  EXPECT_THAT(train.pixels, ElementsAre(9, 9, 9, 1, 1, 1, 2, 2, 2));
  EXPECT_THAT(read_image_tar(path, "test", {}).pixels, ElementsAre(5, 5, 5));
}

TEST_F(TarTest, SaysWhatIsWrong) {
  const auto message = [&](const std::filesystem::path& path, const std::string& set = "train") {
    return message_of([&] { read_image_tar(path, set, {}); }, path);
  };
  EXPECT_THAT(message(folder_.put("text.tar", "this is not an archive")),
              StartsWith("F: expected a tar file: "));
  EXPECT_THAT(message(folder_ / "none.tar"), StartsWith("F: expected a tar file: "));
  std::string noise;
  for (int i = 0; i < 4000; ++i) noise += static_cast<char>(i * i % 251 + i % 7);
  add("train/dog/", "");
  add("train/cat/1.png", png(1, 1, 2, 2, 2) + noise);
  const auto path = write();
  EXPECT_EQ(message(path), "F:train/dog: the class has no JPEG or PNG files");
  EXPECT_EQ(message(path, "valid"),
            "F:valid: expected folders of images, one for each class, found none");
  const std::string whole = contents(path);
  EXPECT_THAT(message(folder_.put("cut.tar.gz", whole.substr(0, whole.size() / 2))),
              ::testing::HasSubstr("truncated"));
}

}  // namespace
}  // namespace xgen::train
