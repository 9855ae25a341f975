"""Reports of Apache Benchmark that several tests read."""

# What ab 2.3 printed for a run in which a server broke some connections and refused others.
WITH_FAILURES = """\
Server Software:        uvicorn
Server Hostname:        127.0.0.1
Server Port:            40123

Document Path:          /score
Document Length:        Variable

Concurrency Level:      5
Time taken for tests:   1.250 seconds
Complete requests:      200
Failed requests:        17
   (Connect: 1, Receive: 9, Length: 0, Exceptions: 7)
Write errors:           2
Non-2xx responses:      30
Keep-Alive requests:    150
Total transferred:      70400 bytes
Total body sent:        183600
HTML transferred:       6600 bytes
Requests per second:    160.00 [#/sec] (mean)
Time per request:       31.250 [ms] (mean)
Time per request:       6.250 [ms] (mean, across all concurrent requests)
Transfer rate:          55.00 [Kbytes/sec] received
                        143.44 kb/s sent
                        198.44 kb/s total

Connection Times (ms)
              min  mean[+/-sd] median   max
Connect:        0    0   0.1      0       1
Processing:     2   30  12.4     29     160
Waiting:        2   29  12.4     28     159
Total:          2   30  12.5     10     160
WARNING: The median and mean for the total time are not within a normal deviation
        These results are probably not that reliable.

Percentage of the requests served within a certain time (ms)
  50%     10
  66%     32
  75%     35
  80%     36
  90%     41
  95%     50
  98%     70
  99%     90
 100%    160 (longest request)
"""
