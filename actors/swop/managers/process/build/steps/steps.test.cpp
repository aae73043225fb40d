// Dockerfiles as people write them, and what is made of them without an image.
#include "actors/swop/managers/process/build/steps/lines.hpp"
#include "actors/swop/managers/process/build/steps/plan.hpp"
#include "actors/swop/managers/process/build/steps/words.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace steps_test {

using namespace swarm;
using namespace swarm::build;
using swarm::testing::wording;

namespace {

using items = std::vector<std::string>;

std::string text_of(const action& what) {
  if (const auto* pip = std::get_if<pip_install>(&what)) {
    std::string out = "pip";
    for (const auto& each : pip->words)
      out += " " + (each.path.empty() ? "" : "<" + each.path + ">") + each.text;
    return out + (pip->folder == "/" ? "" : " in " + pip->folder);
  }
  if (const auto* copy = std::get_if<copy_files>(&what)) {
    std::string out = "copy";
    for (const auto& each : copy->sources)
      out += " '" + each + "'";
    return out + " to " + copy->target + (copy->into_folder ? "/" : "");
  }
  if (const auto* write = std::get_if<write_text>(&what)) return "write " + write->path + ": " + write->text;
  std::string out = "mkdir";
  for (const auto& each : std::get<make_folders_step>(what).paths)
    out += " " + each;
  return out;
}

items texts_of(const plan& from) {
  items out;
  for (const auto& each : from.steps)
    out.push_back(text_of(each.what));
  return out;
}

/// The steps of a Dockerfile that is all right, without its FROM.
items steps_of(items lines) {
  lines.insert(lines.begin(), "FROM python");
  const auto read = read_dockerfile(lines);
  CHECK(read.refusals == items{});
  return texts_of(read);
}

/// The one refusal of a Dockerfile with this line after its FROM.
std::string refusal_of(const std::string& line) {
  const auto read = read_dockerfile({"FROM python", line});
  if (read.refusals.size() != 1) return "no refusal of " + line;
  return read.refusals[0];
}

bool refuses(const std::string& line) {
  return refusal_of(line).starts_with("line 2: ");
}

} // namespace

TEST_CASE("the build task of the user guide, on this Python") {
  const auto read = read_dockerfile(
      {"FROM python:3.9-slim", " ", "RUN pip3 install --upgrade pip && pip3 install \\",
       "   keras matplotlib opencv-python pandas protobuf==3.15.6 ", " ",
       "RUN mkdir -p /tmp/hpe-swarmcli-pkg", "COPY client-py3.whl /tmp/hpe-swarmcli-pkg/client.whl",
       "RUN pip3 install /tmp/hpe-swarmcli-pkg/client.whl"});
  CHECK(read.refusals == items{});
  CHECK(read.python_version == "3.9");
  CHECK(texts_of(read)
        == items{"pip --upgrade pip", "pip keras matplotlib opencv-python pandas protobuf==3.15.6",
                 "mkdir /tmp/hpe-swarmcli-pkg", "copy 'client-py3.whl' to /tmp/hpe-swarmcli-pkg/client.whl",
                 "pip </tmp/hpe-swarmcli-pkg/client.whl>"});
  CHECK(read.steps[1].line == 3);
  const auto other = read_dockerfile({"FROM tensorflow/tensorflow:2.7.0", "RUN pip install keras"}).refusals;
  REQUIRE(other.size() == 1);
  CHECK(wording(other[0]).contains(
      "line 1: FROM tensorflow/tensorflow:2.7.0: the image needs a container engine; "
      "mgrtype PROCESS can not do it; 'FROM python' stands for this host's Python"));
}

TEST_CASE("lines: continued, blank and comment items") {
  const auto joined = join_lines({"# c", "RUN a \\", "", "  # within", "   b\\", "c", " ", "RUN d \\"});
  REQUIRE(joined.size() == 2);
  CHECK(joined[0].item == 2);
  CHECK(joined[0].text == "RUN a    bc");
  CHECK(joined[1].text == "RUN d");
  CHECK(join_lines({"RUN a\nRUN b"}).size() == 2);
  CHECK(join_lines({"\\", "\\"}).empty());
}

TEST_CASE("words: quotes, variables, comparisons and operators") {
  const variables known{{"A", "x y"}, {"E", ""}};
  const auto words = [&](std::string_view line) {
    std::string out;
    const auto read = split_words(line, known, true);
    if (!read) return std::string("refused");
    for (const auto& each : *read)
      out += (each.is_operator ? "{" : "[") + each.text + (each.is_operator ? "}" : "]");
    return out;
  };
  CHECK(words("a 'b c' \"d $A\" e\\ f") == "[a][b c][d x y][e f]");
  CHECK(words("$A ${A}z '$A' \\$A $ $NONE") == "[x][y][x][yz][$A][$A][$]");
  CHECK(words("${N:-d} ${A:-d} ${A:+s} ${E:-e}${N:+s}") == "[d][x][y][s][e]");
  CHECK(words("a&&b;c||d|e&") == "[a]{&&}[b]{;}[c]{||}[d]{|}[e]{&}");
  CHECK(words("numpy>=1.2 'x<2'") == "[numpy>=1.2][x<2]");
  CHECK(words("a > /dev/null 2>&1 b") == "[a][b]");
  CHECK(words("\"\" ''") == "[][]");
  for (const auto* bad : {"'a", "\"a", "`a`", "$(a)", "\"$(a)\"", "a > b", "a < b", "${A", "${A!}", "${}"})
    CHECK_MESSAGE(words(bad) == "refused", bad);
}

TEST_CASE("variables do not grow without bounds") {
  items lines{"ENV A=xxxxxxxxxxxxxxxx"};
  lines.insert(lines.begin(), "FROM python");
  for (int i = 0; i < 60; ++i)
    lines.emplace_back("ENV A=$A$A");
  CHECK_FALSE(read_dockerfile(lines).refusals.empty());
}

TEST_CASE("pip, in the forms in which people call it") {
  CHECK(steps_of({"RUN python3 -m pip install --no-cache-dir a"}) == items{"pip --no-cache-dir a"});
  CHECK(steps_of({"RUN [\"pip\", \"install\", \"a b\"]"}) == items{"pip a b"});
  CHECK(steps_of({"WORKDIR /app", "COPY requirements.txt .", "RUN pip install --user -r requirements.txt"})
        == items{"mkdir /app", "copy 'requirements.txt' to /app/", "pip -r </app/requirements.txt> in /app"});
  CHECK(steps_of({"RUN cd /x && pip install ./p[tf] *.whl"}) == items{"pip </x/p>[tf] </x/*.whl> in /x"});
  CHECK(steps_of({"RUN pip install -f https://h/w.html git+https://h/r.git n@https://h/n.whl"})
        == items{"pip -f https://h/w.html git+https://h/r.git n@https://h/n.whl"});
  CHECK(steps_of({"RUN pip install --find-links=wheels --index-url=https://h/s a numpy>=1.2"})
        == items{"pip --find-links </wheels> --index-url https://h/s a numpy>=1.2"});
  CHECK(steps_of(
            {"RUN apt-get update && apt-get install -y python3-pip && pip install a && rm -rf /var/lib/apt"})
        == items{"pip a"});
  CHECK(steps_of({"ARG V=2", "RUN X=1 pip install a==$V"}) == items{"pip a==2"});
  for (const auto* bad : {"RUN pip install", "RUN pip install --target /x a", "RUN pip install file:///etc/x",
                          "RUN pip install a@file:///etc/x", "RUN pip install -r",
                          "RUN pip install -f FILE:/x a", "RUN pip uninstall a", "RUN pip download a"})
    CHECK_MESSAGE(refuses(bad), bad);
}

TEST_CASE("what needs an image has one clear line") {
  CHECK(
      wording(refusal_of("RUN apt-get install -y libgl1"))
          .contains(
              "line 2: RUN apt-get install -y libgl1: 'apt-get install -y' needs a container engine; mgrtype "
              "PROCESS can not do it"));
  for (const auto* bad : {"RUN conda install a",
                          "RUN curl http://x | sh",
                          "RUN a || b",
                          "RUN <<EOF",
                          "RUN --mount=type=secret pip install a",
                          "FROM python",
                          "ONBUILD RUN x",
                          "COPY --from=x a b",
                          "COPY a",
                          "COPY ../a b",
                          "COPY a/../../b c",
                          "ADD http://h/a b",
                          "ADD a.tar.gz b",
                          "ENV",
                          "ENV A=1 B",
                          "ENV =1",
                          "WORKDIR",
                          "WORKDIR a b",
                          "NONSENSE",
                          "RUN 'pip install a",
                          "RUN pip install a > log",
                          "RUN $(echo pip) install a",
                          "RUN python setup.py install"})
    CHECK_MESSAGE(refuses(bad), bad);
  CHECK(read_dockerfile({}).refusals.size() == 1);
  CHECK(read_dockerfile({"RUN pip install a"}).refusals.size() == 1);
  const auto secret = read_dockerfile({"FROM python", "RUN curl https://me:sesame@host/x"}).refusals;
  REQUIRE(secret.size() == 1);
  CHECK(secret[0].find("sesame") == std::string::npos);
}

TEST_CASE("the rest: variables, folders, what is left out") {
  const auto read = read_dockerfile(
      {"ARG TAG=3.11", "FROM --platform=linux/amd64 docker.io/library/python:${TAG}-slim AS b",
       "ENV A=1 B=\"two $A\"", "ENV C $A and", "ENV PATH=/x:$PATH", "WORKDIR /w", "WORKDIR sub",
       "COPY --chown=1 [\"a b\", \"c\", \"./\"]", "USER me", "CMD [\"python\"]", "EXPOSE 1"});
  CHECK(read.refusals == items{});
  CHECK(read.python_version == "3.11");
  CHECK(read.environment.at("B") == "two ");
  CHECK(read.environment.at("C") == "1 and");
  CHECK(read.environment.at("PATH") == "/x:/usr/local/bin:/usr/bin:/bin");
  CHECK(read.folder == "/w/sub");
  CHECK(texts_of(read) == items{"mkdir /w", "mkdir /w/sub", "copy 'a b' 'c' to /w/sub/"});
  CHECK(read.notes.size() == 4);
  CHECK(read_dockerfile({"FROM scratch"}).refusals.empty());
  CHECK(read_dockerfile({"from python:3"}).python_version == "3");
  CHECK(read_dockerfile({"FROM python:slim"}).python_version.empty());
}

TEST_CASE("requirement lines") {
  const auto read = read_requirements(
      {"# needs", "numpy>=1.2  # why", "", "foo; python_version < \"3.12\"", "--extra-index-url https://h/s"},
      true);
  CHECK(read.refusals == items{});
  CHECK(texts_of(read)
        == items{"write /requirements.txt: numpy>=1.2 \nfoo; python_version < \"3.12\"\n--extra-index-url "
                 "https://h/s\n",
                 "pip -r </requirements.txt> in /context"});
  CHECK(texts_of(read_requirements({"./x.whl"}, true)).front() == "copy '' to /context/");
  CHECK(texts_of(read_requirements({"x.whl"}, false)).size() == 2);
  CHECK(read_requirements({" "}, false).steps.empty());
  for (const auto* bad : {"/etc/x.whl", "../x.whl", "file:///x", "x @ file:///x", "-r ../r.txt", "-r/etc/r",
                          "--target x", "--find-links=/etc", "'a"})
    CHECK_MESSAGE(read_requirements({bad}, true).refusals.size() == 1, bad);
}

TEST_CASE("paths in the image never go above it") {
  CHECK(image_path("/a", "b/../../..//c/.") == "/c");
  CHECK(image_path("/a", "/b") == "/b");
  CHECK(image_path("/a", "..") == "/");
}

} // namespace steps_test
