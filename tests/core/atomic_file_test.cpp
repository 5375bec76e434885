#include "core/atomic_file.h"

#include <gtest/gtest.h>

#include "tests/support/message.h"
#include "tests/support/temporary_folder.h"

namespace xgen {
namespace {

namespace fs = std::filesystem;
using test::contents;
using test::TemporaryFolder;

TEST(WriteAtomically, ReplacesAFileAndLeavesNothingElse) {
  const TemporaryFolder folder;
  write_atomically(folder / "a/b.txt", "one");
  write_atomically(folder / "a/b.txt", "two");
  EXPECT_EQ(contents(folder / "a/b.txt"), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "a"), {}), 1);
}

TEST(WriteAtomically, NamesTheFileThatItCannotWrite) {
  const TemporaryFolder folder;
  folder.put("file", "not a folder");
  EXPECT_EQ(test::message_of([&] { write_atomically(folder / "file/b", "x"); }, folder.path()),
            "F/file/b: cannot be written: Not a directory");
}

TEST(RemoveUnfinished, TakesWhatKilledWritersLeftAndNothingElse) {
  const TemporaryFolder folder;
  folder.put("model.onnx.tmp-a1B2c3", "half");
  folder.put("model.onnx", "whole");
  folder.put("notes.tmp-long-name", "a person's");
  folder.put("below/x.tmp-a1B2c3", "of another");
  remove_unfinished(folder.path());
  EXPECT_FALSE(fs::exists(folder / "model.onnx.tmp-a1B2c3"));
  EXPECT_EQ(contents(folder / "model.onnx"), "whole");
  EXPECT_TRUE(fs::exists(folder / "notes.tmp-long-name"));
  EXPECT_TRUE(fs::exists(folder / "below/x.tmp-a1B2c3"));
  EXPECT_NO_THROW(remove_unfinished(folder / "nowhere"));
}

}  // namespace
}  // namespace xgen
