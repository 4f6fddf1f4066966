// Runs many of Apache's tools in one process, since a JVM for each takes seconds: a line of standard input is a class and
// its arguments, with tabs between them; the answer is a line: exit code, standard output and standard error in base64.

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;
import java.util.Base64;
import org.apache.kafka.common.utils.Exit;

public class Tools {
    static class Ended extends Error {
    }

    /** Goes where the command of the moment writes to: Scala keeps the stream that it finds first. */
    static class Switch extends OutputStream {
        volatile ByteArrayOutputStream to = new ByteArrayOutputStream();

        @Override
        public void write(int b) {
            to.write(b);
        }

        @Override
        public void write(byte[] bytes, int from, int length) {
            to.write(bytes, from, length);
        }
    }

    static volatile int exit;

    public static void main(String[] args) throws Exception {
        PrintStream answers = System.out;
        Switch out = new Switch();
        Switch err = new Switch();
        System.setOut(new PrintStream(out, true));
        System.setErr(new PrintStream(err, true));
        Exit.Procedure end = (code, message) -> {
            if (exit < 0) exit = code;
            throw new Ended();
        };
        Exit.setExitProcedure(end);
        Exit.setHaltProcedure(end);
        int settleMs = Integer.parseInt(args[0]);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split("\t");
            out.to = new ByteArrayOutputStream();
            err.to = new ByteArrayOutputStream();
            exit = -1;
            try {
                Object rest = Arrays.copyOfRange(words, 1, words.length);
                Class.forName(words[0]).getMethod("main", String[].class).invoke(null, rest);
                if (exit < 0) exit = 0;
            } catch (InvocationTargetException e) {
                if (!(e.getCause() instanceof Ended)) {
                    e.getCause().printStackTrace();
                    if (exit < 0) exit = 1;
                }
            }
            Base64.Encoder base64 = Base64.getEncoder();
            answers.println(exit + " " + base64.encodeToString(out.to.toByteArray()) + " " + base64.encodeToString(err.to.toByteArray()));
            Thread.sleep(settleMs);
        }
    }
}
