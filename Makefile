# SPDX-License-Identifier: GPL-2.0-only
#
# make            builds build/bkxdp
# make EXPORTER=no            without bkxdp-exporter and the five libraries that only it needs
# make check      builds the C tests and runs them; needs no root and no network, installs nothing
# make tests      builds the C tests; with SANITIZE=1 under ASan and UBSan, in build/san
# make test       installs what is missing, builds, and runs all tests (as root)
# make fuzz       builds the fuzzers (clang)
# make bench      measures, compares and prints a table (as root); writes build/bench.json
# make kselftest  KSRC=...: copies the tests into a kernel's selftests, builds and runs them there;
#                 kselftest-copy only copies, kselftest-tar packs what a test machine needs
# make install    PREFIX=/usr/local, SYSCONFDIR=/etc, DESTDIR=
# V=1 shows the commands; WERROR=1 makes warnings errors

VERSION     := 0.1.0
PREFIX      ?= /usr/local
DESTDIR     ?=
# what an administrator writes; does not depend on PREFIX
SYSCONFDIR  ?= /etc
SBINDIR     ?= $(PREFIX)/sbin
DATADIR     ?= $(PREFIX)/share/bkxdp
MANDIR      ?= $(PREFIX)/share/man
PROFILESDIR ?= $(DATADIR)/profiles
LIBEXECDIR  ?= $(PREFIX)/libexec/bkxdp

CC       ?= gcc
CLANG    ?= clang
PKG_CONFIG ?= pkg-config
BPFTOOL  ?= $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v bpftool)
PKGS     := libbpf libxdp yaml-0.1 jansson libpcap libmnl ncursesw zlib
WEB_PKGS := libmicrohttpd gnutls libcrypt libsystemd libseccomp
SANITIZE ?=
EXPORTER ?= yes

BUILD    := build
OUT      := $(BUILD)$(if $(SANITIZE),/san)

WARN     := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla \
            $(if $(WERROR),-Werror)
CFLAGS   ?= -O2 -g
# so that the programs do not contain paths of the machine that builds them
PREFIX_MAP := -ffile-prefix-map=$(CURDIR)=.
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -Iinclude -Iuser -I$(BUILD) -Itests $(WARN) $(PREFIX_MAP) \
             $(CPPFLAGS) $(CFLAGS) \
             -DBKXDP_VERSION='"$(VERSION)"' -DBKXDP_PROFILES_DIR='"$(PROFILESDIR)"' \
             -DBKXDP_LIBEXEC_DIR='"$(LIBEXECDIR)"' -DBKXDP_CONFIG_DIR='"$(SYSCONFDIR)/bkxdp"' \
             $(shell $(PKG_CONFIG) --cflags $(PKGS)) $(SANITIZERS)
LIBS     := $(shell $(PKG_CONFIG) --libs $(PKGS)) -lanl
# expanded only where they are needed: bkxdp is built without these packages
WEB_LIBS  = $(shell $(PKG_CONFIG) --libs $(WEB_PKGS))
ifneq ($(SANITIZE),)
SANITIZERS := -fsanitize=address,undefined -fno-sanitize=alignment \
              -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif

# <asm/types.h> is in the multiarch folder
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -fno-strict-aliasing -Wall -Wextra -Wno-unused-parameter \
              $(PREFIX_MAP) $(if $(WERROR),-Werror) -Iinclude -I/usr/include/$(shell $(CC) -dumpmachine)

# only for bkxdp-exporter: bkxdp itself links neither HTTP nor TLS
WEB_SRC  := $(sort $(wildcard user/exporter/*.c))
WEB_OBJ  := $(patsubst user/%.c,$(OUT)/user/%.o,$(WEB_SRC))
USER_SRC := $(sort $(filter-out $(WEB_SRC),$(wildcard user/*/*.c)))
LIB_OBJ  := $(patsubst user/%.c,$(OUT)/user/%.o,$(filter-out user/cli/main.c,$(USER_SRC)))
TESTS    := $(patsubst tests/%.c,$(OUT)/tests/%,$(sort $(filter-out $(if $(filter \
            no,$(EXPORTER)),tests/test_unprivileged.c),$(wildcard tests/test_*.c tests/wire.c))))
TEST_LIB := $(patsubst tests/%.c,$(OUT)/tests/%.o,$(sort $(filter-out tests/test_%.c \
            tests/fuzz_%.c tests/wire.c tests/bench%.c,$(wildcard tests/*.c))))
FUZZERS  := $(patsubst tests/%.c,$(BUILD)/fuzz/%,$(sort $(wildcard tests/fuzz_*.c)))

ifeq ($(V),)
Q := @
say = @printf '  %-8s %s\n' "$(1)" "$(2)"
endif

.PHONY: all check tests test fuzz bench kselftest kselftest-copy kselftest-tar install uninstall clean packages
.DELETE_ON_ERROR:
.SECONDARY:

PROGRAMS := bkxdp $(if $(filter no,$(EXPORTER)),,bkxdp-exporter)
all: $(addprefix $(OUT)/,$(PROGRAMS))
tests: $(TESTS) $(OUT)/tests/vm/probe $(BUILD)/tests/vm/other.bpf.o $(BUILD)/tests/vm/caller.bpf.o \
	$(OUT)/tests/bench
fuzz: $(FUZZERS)

# .bpf.c -> .bpf.o -> skeleton -> objects -> bkxdp
$(BUILD)/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h include/bkxdp/*.h)
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

SKELETONS := $(BUILD)/bkxdp.skel.h $(BUILD)/control_memory.skel.h

$(SKELETONS): $(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# The skeletons must exist before the first build; afterwards the .d files tell who includes them.
$(OUT)/user/%.o: user/%.c | $(SKELETONS)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(OUT)/tests/%.o: tests/%.c | $(SKELETONS)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(OUT)/bkxdp: $(LIB_OBJ) $(OUT)/user/cli/main.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ -o $@ $(LIBS)

$(WEB_OBJ): CFLAGS += $(shell $(PKG_CONFIG) --cflags $(WEB_PKGS))
$(OUT)/bkxdp-exporter: $(LIB_OBJ) $(WEB_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ -o $@ $(WEB_LIBS) $(LIBS)

$(OUT)/tests/test_unprivileged: LIBS += $(shell $(PKG_CONFIG) --libs libseccomp)
$(OUT)/tests/test_unprivileged: $(OUT)/user/exporter/drop_privileges.o
$(OUT)/tests/test_accept: $(OUT)/user/exporter/accept.o
$(OUT)/tests/%: $(OUT)/tests/%.o $(TEST_LIB) $(LIB_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ -o $@ $(LIBS)

# other XDP programs, with which ours must get along
$(BUILD)/tests/%.bpf.o: tests/%.bpf.c
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

# The code that a fuzzer drives is built again, with its coverage instrumented.
FUZZ_CFLAGS = $(filter-out -Wshadow,$(ALL_CFLAGS)) -fsanitize=address,undefined -fno-sanitize=alignment
FUZZ_OBJ := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(filter-out user/cli/main.c,$(USER_SRC)) \
	$(filter-out tests/test_%.c tests/fuzz_%.c tests/wire.c tests/bench%.c,$(wildcard tests/*.c)))
$(BUILD)/fuzz/%.o: %.c | $(SKELETONS)
	$(call say,FUZZ,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/tests/fuzz_%.o $(FUZZ_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) $(LDFLAGS) -fsanitize=fuzzer $^ -o $@ $(LIBS)

# the benchmark's own XDP programs: generated traffic, and what ours is compared with
$(BUILD)/bench.bpf.o: tests/bench.bpf.c tests/bench_vary.h
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BUILD)/bench.skel.h: $(BUILD)/bench.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name bench_bpf > $@

BENCH_OBJ := $(patsubst tests/%.c,$(OUT)/tests/%.o,$(filter-out %.bpf.c,$(wildcard tests/bench*.c)))
$(BENCH_OBJ): $(BUILD)/bench.skel.h

$(OUT)/tests/bench: $(BENCH_OBJ)

bench: $(BUILD)/bkxdp $(BUILD)/tests/bench
	scripts/bench

# A test ends with status 4 if it was skipped as a whole because something that it needs is missing.
check: $(TESTS)
	$(Q)for test in $(filter $(OUT)/tests/test_%,$(TESTS)); do \
		$$test >$$test.log 2>&1; status=$$?; tail -n 1 $$test.log | sed "s|^|$${test##*/}: |"; \
		[ $$status = 0 ] || [ $$status = 4 ] || { grep -v '^ok ' $$test.log; exit 1; }; done

test:
	scripts/test

kselftest kselftest-copy kselftest-tar:
	@scripts/kselftest $(if $(filter kselftest,$@),run,$(@:kselftest-%=%)) "$(KSRC)"

# systemd tells where a distribution has its units; a local installation stays below PREFIX
SYSTEMD_UNITS = $(shell $(PKG_CONFIG) --variable=systemdsystemunitdir systemd 2>/dev/null)
install uninstall: UNITDIR ?= $(if $(filter /usr,$(PREFIX)),$(or $(SYSTEMD_UNITS),/lib/systemd/system),$(PREFIX)/lib/systemd/system)
install uninstall: COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
install uninstall: DOCDIR ?= $(PREFIX)/share/doc/bkxdp
install uninstall: SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
UNITS := bkxdp@.service bkxdp-names@.service \
         $(if $(filter no,$(EXPORTER)),,bkxdp-exporter.service bkxdp-exporter.socket)
MAN5  := $(wildcard man/*.5)
MAN8  := $(filter-out $(if $(filter no,$(EXPORTER)),man/bkxdp-exporter.8),$(wildcard man/*.8))

# The texts of the repository name the paths of a plain "make install"; the installed ones are adapted.
RELOCATE = sed -E -e 's:/usr/local/sbin/:$(SBINDIR)/:g' -e 's:/usr/local/share/bkxdp:$(DATADIR):g' \
               -e 's:/usr/local/libexec/bkxdp:$(LIBEXECDIR):g' \
               -e 's:/etc/((default/)?bkxdp):$(SYSCONFDIR)/\1:g'
install_texts = for text in $(1); do $(RELOCATE) "$$text" > $(DESTDIR)$(2)/$${text\#\#*/} && \
                chmod 0644 $(DESTDIR)$(2)/$${text\#\#*/} || exit 1; done

# the paths of profiles and interface files are compiled in
install: $(addprefix $(BUILD)/,$(PROGRAMS))
	@has() { LC_ALL=C tr -c '[:print:]' '\n' < $< | grep -xF "$$1" >/dev/null; }; \
		has '$(PROFILESDIR)' && has '$(SYSCONFDIR)/bkxdp/%s.yaml' || { \
		echo "$< was built for another PREFIX or SYSCONFDIR:" \
		"make clean, then make with the same ones" >&2; exit 1; }
	install -d $(addprefix $(DESTDIR),$(SBINDIR) $(PROFILESDIR) $(MANDIR)/man5 $(MANDIR)/man8 $(UNITDIR) \
		$(COMPLETIONDIR) $(DOCDIR)/docs $(DATADIR)/monitoring $(SYSUSERSDIR) \
		$(LIBEXECDIR) $(SYSCONFDIR)/bkxdp/profiles)
	install -m 0755 $< $(DESTDIR)$(SBINDIR)/bkxdp
	[ ! -e $(BUILD)/bkxdp-exporter ] || [ '$(EXPORTER)' = no ] || \
		install -m 0755 $(BUILD)/bkxdp-exporter $(DESTDIR)$(LIBEXECDIR)/bkxdp-exporter
	install -m 0644 profiles/*.yaml profiles/*.json $(DESTDIR)$(PROFILESDIR)
	$(call install_texts,monitoring/*.yml monitoring/*.json,$(DATADIR)/monitoring)
	$(call install_texts,$(MAN5),$(MANDIR)/man5)
	$(call install_texts,$(MAN8),$(MANDIR)/man8)
	install -m 0644 completion/bkxdp.bash $(DESTDIR)$(COMPLETIONDIR)/bkxdp
	$(call install_texts,README.md LICENSE,$(DOCDIR))
	$(call install_texts,docs/*.md,$(DOCDIR)/docs)
	install -m 0644 $(filter-out %.md,$(wildcard docs/*)) $(DESTDIR)$(DOCDIR)/docs
	install -m 0644 systemd/bkxdp.sysusers $(DESTDIR)$(SYSUSERSDIR)/bkxdp.conf
	$(call install_texts,$(addprefix systemd/,$(UNITS)),$(UNITDIR))

# What an administrator wrote in SYSCONFDIR stays. Filters are detached, because afterwards there is
# no program left that could do it. Folders of pins are named by folder_of() in user/datapath/pins.c.
uninstall:
	@[ ! -x $(SBINDIR)/bkxdp ] || for pins in $(if $(DESTDIR),,/sys/fs/bpf/bkxdp/*/); do \
		case $$pins in */%lock/) continue ;; esac; \
		name=$$(basename "$$pins" | sed 's:%2e:.:g; s:%25:%:g'); \
		[ ! -d "$$pins" ] || $(SBINDIR)/bkxdp detach "$$name" || { echo \
		"uninstall: $$pins is still there, so nothing was removed" >&2; exit 1; }; done
	rm -f $(DESTDIR)$(SBINDIR)/bkxdp $(MAN5:man/%=$(DESTDIR)$(MANDIR)/man5/%) \
		$(MAN8:man/%=$(DESTDIR)$(MANDIR)/man8/%) \
		$(DESTDIR)$(COMPLETIONDIR)/bkxdp $(DESTDIR)$(SYSUSERSDIR)/bkxdp.conf \
		$(addprefix $(DESTDIR)$(UNITDIR)/,$(UNITS))
	rm -rf $(DESTDIR)$(DATADIR) $(DESTDIR)$(DOCDIR) $(DESTDIR)$(LIBEXECDIR)

clean:
	rm -rf $(BUILD)

# the development packages that bkxdp needs
packages:
	@echo $(PKGS)

-include $(wildcard $(BUILD)/fuzz/*/*.d $(BUILD)/fuzz/*/*/*.d $(OUT)/user/*/*.d $(OUT)/tests/*.d $(OUT)/tests/vm/*.d)
