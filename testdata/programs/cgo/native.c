//go:build cgo

#include <pthread.h>
#include <unistd.h>

#include "_cgo_export.h"

void nap(int ms) { usleep(ms * 1000); }

/* roundtrip: Go -> C -> Go -> C -> Go on one thread. */
int roundtrip(int n) { return Back(n); }

/* Every thread calls Go twice. */
static void *thread(void *arg) {
	(void)arg;
	Back(0);
	usleep(1000);
	Back(1);
	return NULL;
}

/* threads starts n threads, waits for them and says how many came back. */
int threads(int n) {
	pthread_t ids[16];
	int done = 0;
	for (int i = 0; i < n && i < 16; i++)
		pthread_create(&ids[i], NULL, thread, NULL);
	for (int i = 0; i < n && i < 16; i++)
		if (pthread_join(ids[i], NULL) == 0)
			done++;
	return done;
}
