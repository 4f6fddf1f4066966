// Runs many of Apache's tools in one process, since a JVM for each takes seconds. A line of standard input is a command:
// its time limit in ms, its class, its standard input and its arguments, with tabs between them, the last two in base64.
// The answer is a line: exit code, standard output and standard error in base64; exit code -2 means that the time was up.
// What a JVM of its own would do is done: shutdown hooks run at the end, nothing is heard of a command that has ended, and
// an exception that nobody caught is announced as Java's launcher does it. The first argument: ms to wait after each.

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.utils.Exit;

public class Tools {
    static final int TIME_IS_UP = -2;
    static final int HOOK_MS = 5_000;
    static final int UNWIND_MS = 3_000;

    /** Takes the place of the end of the process. */
    static class Ended extends Error {
        Ended() {
            super("ended", null, false, false);
        }
    }

    /** One command. Threads belong to the one that made them, so that a straggler disturbs none that comes later. */
    static class Run {
        static final InheritableThreadLocal<Run> OF_THREAD = new InheritableThreadLocal<>();

        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        final ByteArrayOutputStream err = new ByteArrayOutputStream();
        final List<Runnable> hooks = new ArrayList<>();
        final CountDownLatch ended = new CountDownLatch(1);
        private boolean isEnding;
        private volatile boolean isOver;
        private int exit;

        /** What System.exit does; whoever comes second only stops. */
        void end(int code) throws InterruptedException {
            List<Thread> running = new ArrayList<>();
            synchronized (this) {
                if (isEnding) return;
                isEnding = true;
                for (Runnable hook : hooks) running.add(new Thread(hook));
            }
            for (Thread thread : running) thread.setDaemon(true);
            for (Thread thread : running) thread.start();
            for (Thread thread : running) thread.join(HOOK_MS);
            close(code);
        }

        synchronized void close(int code) {
            if (isOver) return;
            isEnding = true;
            isOver = true;
            exit = code;
            ended.countDown();
        }

        synchronized void write(ByteArrayOutputStream to, byte[] bytes, int from, int length) {
            if (!isOver) to.write(bytes, from, length);
        }
    }

    /** Goes where the command of the thread writes to. */
    static class Switch extends OutputStream {
        private final boolean isError;

        Switch(boolean isError) {
            this.isError = isError;
        }

        @Override
        public void write(int b) {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int length) {
            Run run = Run.OF_THREAD.get();
            if (run != null) run.write(isError ? run.err : run.out, bytes, from, length);
        }
    }

    public static void main(String[] args) throws Exception {
        PrintStream answers = System.out;
        System.setOut(new PrintStream(new Switch(false), true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(new Switch(true), true, StandardCharsets.UTF_8));
        Exit.Procedure end = (code, message) -> {
            Run run = Run.OF_THREAD.get();
            try {
                if (run != null) run.end(code);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            throw new Ended();
        };
        Exit.setExitProcedure(end);
        Exit.setHaltProcedure(end);
        Exit.setShutdownHookAdder((name, hook) -> {
            Run run = Run.OF_THREAD.get();
            if (run != null) synchronized (run) {
                run.hooks.add(hook);
            }
        });
        int settleMs = Integer.parseInt(args[0]);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split("\t", -1);
            answers.println(answer(Integer.parseInt(words[0]), words[1], decode(words[2]), Arrays.copyOfRange(words, 3, words.length)));
            answers.flush();
            Thread.sleep(settleMs);
        }
        System.exit(0); // whatever some tool left running
    }

    static String answer(int limitMs, String name, byte[] input, String[] words) throws InterruptedException {
        String[] args = new String[words.length];
        for (int i = 0; i < words.length; i++) args[i] = new String(decode(words[i]), StandardCharsets.UTF_8);
        System.setIn(new ByteArrayInputStream(input));
        Run run = new Run();
        Thread thread = new Thread(() -> command(run, name, args), "main");
        thread.setDaemon(true);
        thread.start();
        if (!run.ended.await(limitMs, TimeUnit.MILLISECONDS)) run.close(TIME_IS_UP);
        thread.join(UNWIND_MS);
        thread.interrupt();
        Base64.Encoder base64 = Base64.getEncoder();
        return run.exit + " " + base64.encodeToString(run.out.toByteArray()) + " " + base64.encodeToString(run.err.toByteArray());
    }

    static void command(Run run, String name, String[] args) {
        Run.OF_THREAD.set(run);
        int code = 0;
        try {
            Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) args);
        } catch (InvocationTargetException e) {
            if (!(e.getCause() instanceof Ended)) {
                System.err.print("Exception in thread \"main\" ");
                e.getCause().printStackTrace();
                code = 1;
            }
        } catch (ReflectiveOperationException e) {
            e.printStackTrace();
            code = 1;
        }
        try {
            run.end(code);
        } catch (InterruptedException e) {
            run.close(code);
        }
    }

    static byte[] decode(String text) {
        return Base64.getDecoder().decode(text);
    }
}
