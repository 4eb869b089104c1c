// SPDX-License-Identifier: GPL-2.0-only
#include "cli/top_screen.h"

#include <curses.h>
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static SCREEN *screen;
static int style[PAGE_BAD + 1];
static volatile sig_atomic_t ended;
static sigset_t waiting; /* signals that are blocked except while we wait */

static void end(int number)
{
	(void)number;
	ended = 1;
}

/*
 * ncurses would end the program from within a signal handler, so ours are set after it is
 * initialised. They are blocked except while we wait, so that none is missed.
 */
static void catch_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction action = {.sa_handler = end};
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		sigaction(numbers[i], &action, NULL);
		sigaddset(&blocked, numbers[i]);
	}
	sigprocmask(SIG_BLOCK, &blocked, &waiting);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigdelset(&waiting, numbers[i]);
}

static void set_styles(void)
{
	const char *no = getenv("NO_COLOR");

	style[PAGE_TITLE] = A_REVERSE;
	style[PAGE_HEADING] = A_BOLD;
	style[PAGE_BAD] = A_BOLD;
	if ((no && *no) || !has_colors() || start_color() == ERR)
		return;
	(void)use_default_colors();
	if (init_pair(1, COLOR_RED, -1) != ERR)
		style[PAGE_BAD] = COLOR_PAIR(1);
}

static bool has_capability(const char *name)
{
	const char *text = tigetstr(name);

	return text && text != (const char *)-1;
}

const char *screen_open(void)
{
	setlocale(LC_CTYPE, "");
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return "this type of terminal is not known here: set TERM, or use --once";
	if (!has_capability("cup") || !has_capability("clear"))
		return "this terminal can't place its cursor (TERM): use --once";
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_styles();
	catch_signals();
	return NULL;
}

void screen_close(void)
{
	if (!screen)
		return;
	/* what is printed next begins there, unless the terminal has a second screen */
	move(LINES - 1, 0);
	clrtoeol();
	refresh();
	endwin();
	delscreen(screen);
	screen = NULL;
}

void screen_size(unsigned int *width, unsigned int *height)
{
	*width = (unsigned int)COLS;
	*height = (unsigned int)LINES;
}

void screen_show(const struct page *page)
{
	erase();
	for (size_t i = 0; i < page->n_lines && (int)i < LINES; i++) {
		attrset(style[page->lines[i].style]);
		mvaddnstr((int)i, 0, page->lines[i].text, COLS);
	}
	attrset(A_NORMAL);
	refresh();
}

static enum screen_event event_of(int key)
{
	switch (key) {
	case KEY_RESIZE:
		return SCREEN_RESIZED;
	case '\t':
	case KEY_RIGHT:
	case KEY_DOWN:
		return SCREEN_NEXT;
	case KEY_BTAB:
	case KEY_LEFT:
	case KEY_UP:
		return SCREEN_PREVIOUS;
	default:
		return SCREEN_KEY;
	}
}

enum screen_event screen_wait(double seconds, int *key)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	struct timespec time = {.tv_sec = (time_t)seconds};
	int ready;

	/* ncurses may hold keys that it has already read */
	*key = getch();
	if (*key != ERR)
		return event_of(*key);
	time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
	ready = ppoll(&input, 1, &time, &waiting);
	if (ended || (ready > 0 && input.revents & (POLLHUP | POLLERR | POLLNVAL)))
		return SCREEN_END;
	*key = getch();
	if (*key != ERR)
		return event_of(*key);
	/* readable, but nothing to read: the terminal is gone */
	return ready > 0 ? SCREEN_END : SCREEN_NOTHING;
}
